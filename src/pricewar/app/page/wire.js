// The one socket to the server: a question per topic at a time, the latest counts; asked again after a restart.

const FIRST_WAIT = 200, LONGEST_WAIT = 3000; // ms until the next try to connect
const GRACE = 250; // ms that a question has for its first part before a newer one of its topic takes its place

export class Wire {
  // told: called with "open", "closed" (trying again) whenever that changes.
  constructor(address = `ws://${location.host}/ws`, told = () => {}) {
    this.address = address;
    this.told = told;
    this.topics = new Map();
    this.held = new Map(); // the newest question of a topic, while the one before it still has its grace
    this.last = 0;
    this.wait = FIRST_WAIT;
    this.connect();
  }

  // Asks; a question of the same topic still open is dropped, but not before its first part: a hand that moves on
  // and on would see nothing otherwise. part(data, meta) may come many times, then done() once;
  // or error({what, where, remedy}). meta: {part, done}.
  ask(topic, message, {part = () => {}, progress = () => {}, error = () => {}, done = () => {}} = {}) {
    const question = {topic, message, part, progress, error, done};
    const open = this.topics.get(topic);
    if (open && !open.begun) {
      this.held.set(topic, question);
      open.grace ??= setTimeout(() => this.release(topic), GRACE);
    } else this.put(question);
    return {cancel: () => this.cancel(question)};
  }

  cancel(question) {
    const open = this.topics.get(question.topic);
    if (this.held.get(question.topic) === question) this.held.delete(question.topic);
    else if (open !== question) return;
    this.topics.delete(question.topic);
    if (open) this.send({id: open.id, cancel: true});
    this.release(question.topic);
  }

  // ---------------------------------------------------------------- within

  put(question) {
    clearTimeout(this.topics.get(question.topic)?.grace);
    this.held.delete(question.topic);
    question.id = ++this.last;
    this.topics.set(question.topic, question);
    this.send({...question.message, id: question.id, topic: question.topic});
  }

  release(topic) {
    const next = this.held.get(topic);
    if (next) this.put(next);
  }

  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  connect() {
    const socket = this.socket = new WebSocket(this.address);
    socket.onopen = () => {
      this.wait = FIRST_WAIT;
      this.told("open");
      for (const question of this.held.values()) this.topics.set(question.topic, question);
      this.held.clear();
      for (const question of this.topics.values()) {
        question.begun = false;
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
    const {topic} = question, over = this.held.has(topic);
    question.begun = true;
    if (answer.done || answer.error) this.topics.delete(topic);
    if (answer.error && !over) question.error(answer.error);
    if (answer.data !== undefined && answer.data !== null) question.part(answer.data, {part: answer.part, done: Boolean(answer.done)});
    if (answer.done && !over) question.done();
    this.release(topic);
  }
}
