// The one socket to the server: a question per topic at a time, the latest counts; asked again after a restart.

const FIRST_WAIT = 200, LONGEST_WAIT = 3000; // ms until the next try to connect

export class Wire {
  // told: called with "open", "closed" (trying again) whenever that changes.
  constructor(address = `ws://${location.host}/ws`, told = () => {}) {
    this.address = address;
    this.told = told;
    this.topics = new Map();
    this.last = 0;
    this.wait = FIRST_WAIT;
    this.connect();
  }

  // Asks; a question of the same topic still open is dropped. part(data, meta) may come many times, then done() once;
  // or error({what, where, remedy}). meta: {part, done}.
  ask(topic, message, {part = () => {}, progress = () => {}, error = () => {}, done = () => {}} = {}) {
    const question = {id: ++this.last, topic, message, part, progress, error, done};
    this.topics.set(topic, question);
    this.send({...message, id: question.id, topic});
    return {cancel: () => this.cancel(question)};
  }

  cancel(question) {
    if (this.topics.get(question.topic) !== question) return;
    this.topics.delete(question.topic);
    this.send({id: question.id, cancel: true});
  }

  // ---------------------------------------------------------------- within

  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  connect() {
    const socket = this.socket = new WebSocket(this.address);
    socket.onopen = () => {
      this.wait = FIRST_WAIT;
      this.told("open");
      for (const question of this.topics.values()) {
        question.id = ++this.last; // what an earlier server still says about the old one is not heard
        this.send({...question.message, id: question.id, topic: question.topic});
      }
    };
    socket.onmessage = (event) => this.heard(JSON.parse(event.data));
    socket.onclose = (event) => {
      this.told("closed", event.reason);
      setTimeout(() => this.connect(), this.wait);
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
    };
  }

  heard(answer) {
    const question = [...this.topics.values()].find((q) => q.id === answer.id);
    if (!question || answer.superseded) return;
    if (answer.progress) return void question.progress(answer.progress);
    if (answer.error) {
      this.topics.delete(question.topic);
      return void question.error(answer.error);
    }
    if (answer.done) this.topics.delete(question.topic);
    if (answer.data !== undefined && answer.data !== null) question.part(answer.data, {part: answer.part, done: Boolean(answer.done)});
    if (answer.done) question.done();
  }
}
