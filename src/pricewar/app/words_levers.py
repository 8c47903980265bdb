# ruff: noqa: E501 - a name is translated more safely when it stands on one line
"""The names of the war room's levers: `lever.PARAMETER` → (English, 简体中文, 日本語).

One for each parameter of `market.fields` that `app.levers` makes a lever of; a test holds that none is missing.
What a parameter means stands beside its lever, in English, out of `market.fields`.
"""

from __future__ import annotations

from typing import Final

WORDS: Final[dict[str, tuple[str, str, str]]] = {
    # Rules
    "lever.portability": ("Portability", "可迁移性", "ポータビリティ"),
    "lever.price_floor": ("Price floor over cost", "价格下限（相对成本）", "価格の下限（原価比）"),
    "lever.data_sharing": ("Data sharing", "数据共享", "データ共有"),
    "lever.no_self_preferencing": ("Ban on self-preferencing", "禁止自我优待", "自社優遇の禁止"),
    "lever.embedded_cap": (
        "Cap on raises for locked-in teams",
        "对深度集成客户的涨价限制",
        "定着した顧客への値上げ制限",
    ),
    "lever.lever_from": ("Rules hold from month", "规则生效月份", "ルールの適用開始月"),
    "lever.regulator_auto": ("Regulator steps in by itself", "监管者自行介入", "規制当局が自ら介入"),
    "lever.regulator_hhi": ("Regulator looks past concentration", "引起监管的集中度", "規制が動く集中度"),
    "lever.regulator_margin": ("Regulator sees harm past margin", "被视为损害的利润率", "害とみなす利幅"),
    "lever.regulator_months": ("Regulator watches for", "监管观察期", "規制の観察期間"),
    "lever.regulator_delay": ("Regulator's delay", "监管延迟", "規制の遅れ"),
    "lever.regulator_reach": ("Regulator's reach", "监管可及范围", "規制の及ぶ範囲"),
    # Teams
    "lever.switching_cost": ("Switching cost", "转换成本", "乗り換えコスト"),
    "lever.depth_one": ("From trial to integrated", "从试用到集成的速度", "試用から組み込みへの速さ"),
    "lever.depth_two": ("From integrated to embedded", "从集成到深度集成的速度", "組み込みから定着への速さ"),
    "lever.switch_trial": ("Switching cost on trial", "试用期的转换成本", "試用中の乗り換えコスト"),
    "lever.switch_integrated": (
        "Switching cost when integrated",
        "集成后的转换成本",
        "組み込み後の乗り換えコスト",
    ),
    "lever.certainty": (
        "Newcomers count on the ecosystem",
        "新客户对生态收益的把握",
        "新規客が見込む自社圏の利益",
    ),
    "lever.expansion_contestable": (
        "Growth that chooses anew",
        "增量用量重新选择的份额",
        "増えた利用が選び直す割合",
    ),
    "lever.outside": ("Appeal of buying nowhere", "不购买的吸引力", "どこからも買わない魅力"),
    "lever.budget": ("Teams' budgets", "团队预算", "チームの予算"),
    "lever.potential": ("Teams that may ever buy", "潜在团队数", "潜在的なチーム数"),
    "lever.review_high": (
        "Attention when there is much to gain",
        "收益大时的重新选择频率",
        "得が大きいときの見直し頻度",
    ),
    # Money
    "lever.war_chest": ("War chest", "战争储备金", "軍資金"),
    "lever.income_per_team": ("Income beside the model", "每客户的其他收入", "顧客あたりの他の収入"),
    # Conduct
    "lever.allowance_notch": ("Free allowances are given", "提供免费额度", "無料枠を出す"),
    "lever.allowance": ("Free allowance at the start", "初始免费额度", "当初の無料枠"),
    "lever.grant": ("Grant to teams on trial", "试用赠送额度", "試用チームへの付与"),
    "lever.peace": ("Peace until somebody opens", "开战前维持标价", "誰かが始めるまでの平和"),
    "lever.hold": ("How long a price is expected to stand", "预期价格维持时间", "価格が続く見込みの期間"),
    "lever.discount": ("Discounting", "贴现率", "割引率"),
    "lever.runway_weight": ("Weight of a short runway", "资金紧张的影响", "資金余命の重み"),
    "lever.menu": ("Least change that is posted", "最小调价幅度", "最小の改定幅"),
    "lever.rise_needs_successor": (
        "Prices rise only with a new model",
        "仅随新模型涨价",
        "値上げは新モデルとともに",
    ),
    "lever.review": ("Price reviews", "定价复核频率", "価格見直しの頻度"),
    "lever.react": ("Speed of answers to a cut", "对降价的反应速度", "値下げへの反応の速さ"),
    "lever.cut_is_war": ("Cut that counts as following", "视为跟进的降幅", "追随とみなす下げ幅"),
    "lever.expected_peace": ("Peace expected if held", "预期和平时间", "維持した場合に見込む平和の長さ"),
    "lever.opening_needs_launch": (
        "War opens only at a launch",
        "仅在发布时开战",
        "開戦は新モデルの発表時のみ",
    ),
    "lever.opening_threshold": ("Gain that moves a vendor to open", "促使开战的收益", "開戦に踏み切る利得"),
    "lever.opening_month": ("Month of the opening", "开战月份", "開戦の月"),
    # Costs
    "lever.rental": ("GPU rental", "GPU 租金", "GPU 賃料"),
    "lever.progress": ("Fall of serving cost", "服务成本下降速度", "提供原価の低下"),
    "lever.reference_share": ("Reference price over cost", "参考价格（相对成本）", "参照価格（原価比）"),
    "lever.reference_lag": ("Lag of the reference price", "参考价格的滞后", "参照価格の遅れ"),
    "lever.learning": ("Learning by serving", "边做边学", "提供による習熟"),
    "lever.gpu_light": ("GPU time of light tokens", "轻量 token 的 GPU 时间", "軽量トークンの GPU 時間"),
    "lever.gpu_flagship": (
        "GPU time of flagship tokens",
        "旗舰 token 的 GPU 时间",
        "旗艦トークンの GPU 時間",
    ),
    "lever.energy_light": ("Energy of light tokens", "轻量 token 的能耗费", "軽量トークンの電力費"),
    "lever.energy_flagship": ("Energy of flagship tokens", "旗舰 token 的能耗费", "旗艦トークンの電力費"),
    "lever.fleet_minimum": ("Least fleet", "最小机群", "最小の機材数"),
    "lever.target_load": ("Load planned for", "计划负载", "計画する負荷"),
    "lever.load_penalty": ("Penalty of overload", "过载损失", "過負荷の損失"),
    "lever.capacity_up": ("Speed of adding capacity", "扩容速度", "増設の速さ"),
    "lever.capacity_down": ("Speed of shedding capacity", "缩容速度", "縮小の速さ"),
    "lever.burst_premium": ("Premium for burst capacity", "临时扩容溢价", "臨時増設の割増"),
    "lever.rental_decline": ("Fall of the rental", "租金下降速度", "賃料の低下"),
    "lever.rental_elasticity": ("Rental's answer to scarcity", "租金对紧缺的弹性", "逼迫への賃料の弾力性"),
    "lever.supply_growth": ("Growth of GPU supply", "GPU 供给增长", "GPU 供給の伸び"),
    "lever.supplier_cost": ("Suppliers' cost of a GPU", "供应商的 GPU 成本", "供給者の GPU 原価"),
    # Quality and training
    "lever.scale_compute": ("Quality from compute", "算力带来的质量", "計算量による品質"),
    "lever.scale_jump": ("Jump of quality at the threshold", "阈值处的质量跃升", "閾値での品質の跳躍"),
    "lever.threshold": ("Threshold of compute", "算力阈值", "計算量の閾値"),
    "lever.threshold_width": ("Width of the threshold", "阈值宽度", "閾値の幅"),
    "lever.scale_data": ("Quality from data", "数据带来的质量", "データによる品質"),
    "lever.data_half": ("Data at which more begins to pay", "数据起效规模", "データが効き始める規模"),
    "lever.data_decay": ("Ageing of data", "数据老化速度", "データの陳腐化"),
    "lever.light_gap": ("Gap from light to flagship", "轻量与旗舰的质量差", "軽量と旗艦の品質差"),
    "lever.revenue_quality": (
        "Teams' revenue from quality",
        "质量对团队收入的影响",
        "品質によるチームの収入",
    ),
    "lever.run_months": ("Length of a training run", "训练时长", "学習の期間"),
    "lever.run_gap": ("Time between runs", "训练间隔", "学習の間隔"),
    "lever.run_step": ("Step of compute from run to run", "每代算力增幅", "世代ごとの計算量の増分"),
    "lever.run_gpu": ("GPU time of training", "训练的 GPU 时间", "学習の GPU 時間"),
    "lever.run_progress": ("Fall of training cost", "训练成本下降", "学習費の低下"),
    "lever.run_failure": ("Chance that a run fails", "训练失败概率", "学習が失敗する確率"),
    "lever.run_labour": ("People and data in a run's cost", "训练中的人力与数据成本", "学習費の人件とデータ"),
    "lever.afford": ("Part of cash a run may take", "训练可用资金份额", "学習に使える資金の割合"),
    "lever.efficiency": ("Serving efficiency", "服务效率", "提供の効率"),
    "lever.quality": ("Quality", "质量", "品質"),
    "lever.brand": ("Brand", "品牌", "ブランド"),
    # Open weights, consumers, others
    "lever.fringe_lag": ("Open weights' lag in quality", "开放权重的质量差距", "公開モデルの品質の遅れ"),
    "lever.fringe_markup": ("Open weights' markup", "开放权重托管加价", "公開モデルの上乗せ"),
    "lever.modality_size": ("A new modality's upheaval", "新模态的冲击", "新モダリティの衝撃"),
    "lever.consumers": ("Consumers at the start", "初始消费者数", "当初の消費者数"),
    "lever.consumers_final": ("Consumers in the end", "最终消费者数", "最終的な消費者数"),
    "lever.consumer_growth": ("Growth of consumers", "消费者增长", "消費者の伸び"),
    "lever.consumer_taste": ("Consumers' taste for quality", "消费者对质量的偏好", "消費者の品質志向"),
    "lever.consumer_rate": ("Consumers look round", "消费者重新选择频率", "消費者の見直し頻度"),
    "lever.consumer_tokens": ("Use of a consumer", "单个消费者用量", "消費者の利用量"),
    "lever.consumer_data": ("Data from consumers", "来自消费者的数据", "消費者からのデータ"),
    "lever.absorb": ("Vendors enter teams' products", "厂商进入客户业务", "顧客事業への参入"),
    "lever.holder_weight": ("Data holders' bargaining weight", "数据持有者的议价力", "データ保有者の交渉力"),
    "lever.holder_cost": ("Data holders' cost", "数据持有者的成本", "データ保有者の費用"),
}
