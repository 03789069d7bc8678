// The page: calls from the event stream, figures from /metrics.  Whatever came
// from outside is set as text, never as markup.
"use strict";

const OVER_MAX = 20;   // calls shown after their end
const TURNS_MAX = 200; // of one call
const calls = new Map();
const $ = (id) => document.getElementById(id);

function element(name, className, text) {
  const e = document.createElement(name);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = text;
  return e;
}

function clock(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
}

// -- calls ------------------------------------------------------------------

function callOf(e) {
  let c = calls.get(e.call);
  if (c) return c;
  c = { began: Date.parse(e.ts), from: "", to: "", source: "", legs: new Map(),
        turns: new Map(), over: "" };
  c.card = element("article", "call");
  c.title = element("h3");
  c.about = element("p", "about");
  c.sides = element("div", "sides");
  c.sides.append(element("div", "who turn", "caller"),
                 element("div", "who turn right", "agent"));
  c.card.append(c.title, c.about, c.sides);
  calls.set(e.call, c);
  $("calls").prepend(c.card);
  return c;
}

function showCall(c, id, now) {
  const states = [...c.legs.values()].map((l) => `${l.role}: ${l.state}`);
  c.title.textContent = c.from || c.to ? `${c.from || "?"} → ${c.to || "?"}` : id;
  c.about.textContent = [c.source, id, c.over ? `over: ${c.over}, ${clock(c.length)}`
                                              : clock(now - c.began), ...states]
    .filter(Boolean).join(" · ");
  c.card.classList.toggle("over", c.over !== "");
}

function turnOf(c, e, key) {
  let t = c.turns.get(key);
  if (t) return t;
  t = element("p", "turn");
  const side = c.legs.get(e.leg);
  t.classList.toggle("right", (side ? side.role : e.role) === "agent");
  t.append(element("span", "at"), element("span", "text"));
  const follow = c.sides.scrollTop + c.sides.clientHeight >= c.sides.scrollHeight - 8;
  c.sides.append(t);
  if (follow) c.sides.scrollTop = c.sides.scrollHeight;
  c.turns.set(key, t);
  if (c.turns.size > TURNS_MAX) {
    const [oldest] = c.turns.keys();
    c.turns.get(oldest).remove();
    c.turns.delete(oldest);
  }
  return t;
}

function setTurn(t, at, text) {
  t.children[0].textContent = clock(at);
  t.children[1].textContent = text;
}

const on = {
  "call.start"(c, e) {
    c.began = Date.parse(e.ts);
    c.from = e.from || "";
    c.to = e.to || "";
    c.source = e.source || "";
  },
  "call.update"(c, e) {
    c.from = e.from || c.from;
    c.to = e.to || c.to;
  },
  "call.end"(c, e) {
    c.over = e.reason || "ended";
    c.length = e.duration_ms || 0;
  },
  "leg.start"(c, e) {
    c.legs.set(e.leg, { role: e.role, state: e.asr || "none", offset: 0 });
  },
  "leg.update"(c, e) {
    if (c.legs.has(e.leg) && e.role) c.legs.get(e.leg).role = e.role;
  },
  "leg.media"(c, e) {
    if (c.legs.has(e.leg)) c.legs.get(e.leg).offset = e.offset_ms || 0;
  },
  "leg.state"(c, e) {
    if (c.legs.has(e.leg))
      c.legs.get(e.leg).state = e.asr_state + (e.reason ? ` (${e.reason})` : "");
  },
  "segment"(c, e) {
    const key = `${e.leg} ${e.segment}`, leg = c.legs.get(e.leg);
    if (e.state === "retracted" || !e.text) {
      if (c.turns.has(key)) c.turns.get(key).remove();
      c.turns.delete(key);
      return;
    }
    const t = turnOf(c, e, key);
    t.classList.toggle("partial", e.state === "partial");
    setTurn(t, e.start_ms + (leg ? leg.offset : 0), e.text);
  },
  "gap"(c, e) {
    if (e.cause === "rtp_loss") return;
    const t = turnOf(c, e, `${e.leg} gap ${e.start_ms}`);
    t.classList.add("note");
    setTurn(t, e.start_ms, `not heard for ${((e.end_ms - e.start_ms) / 1000).toFixed(1)} s: ` +
            e.cause);
  },
};

function forgetOld() {
  const over = [...calls].filter(([, c]) => c.over);
  for (const [id, c] of over.slice(0, Math.max(0, over.length - OVER_MAX))) {
    c.card.remove();
    calls.delete(id);
  }
  $("none").hidden = calls.size > 0;
}

function onEvent(e) {
  if (!e.call || !on[e.type]) return;
  const c = callOf(e);
  on[e.type](c, e);
  showCall(c, e.call, Date.parse(e.ts));
  forgetOld();
}

// -- figures ----------------------------------------------------------------

function parseMetrics(text) {
  const all = [];
  for (const line of text.split("\n")) {
    const m = /^([a-z_]+)(?:\{(.*)\})? ([^ ]+)$/.exec(line);
    if (!m) continue;
    const labels = {};
    for (const [, k, v] of (m[2] || "").matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g))
      labels[k] = v.replace(/\\(.)/g, (_, x) => x === "n" ? "\n" : x);
    all.push({ name: m[1].replace(/^trunkscribe_/, ""), labels, value: Number(m[3]) });
  }
  return all;
}

function quantile(buckets, q) {
  const total = buckets.length ? buckets[buckets.length - 1].value : 0;
  if (!total) return "–";
  const b = buckets.find((x) => x.value >= q * total);
  return b.labels.le === "+Inf" ? "> 60 s" : `≤ ${b.labels.le} s`;
}

function showFigures(all) {
  const sum = (name, labels = {}) => all
    .filter((x) => x.name === name &&
            Object.entries(labels).every(([k, v]) => x.labels[k] === v))
    .reduce((n, x) => n + x.value, 0);
  const names = [...new Set(all.filter((x) => x.name === "asr_circuit_open")
                               .map((x) => x.labels.asr))];
  $("services").replaceChildren(...names.map((asr) => {
    const row = element("tr"), down = sum("asr_circuit_open", { asr }) > 0;
    const buckets = all.filter((x) => x.name === "asr_final_latency_seconds_bucket" &&
                                      x.labels.asr === asr);
    row.append(element("td", "", asr),
               element("td", down ? "bad" : "good", down ? "down" : "up"),
               element("td", "n", sum("asr_results_total", { asr, kind: "final" })),
               element("td", "n", sum("asr_results_total", { asr, kind: "partial" })),
               element("td", "n", quantile(buckets, 0.95)),
               element("td", "n", sum("asr_reconnects_total", { asr })));
    return row;
  }));
  if (!names.length) {
    const row = element("tr"), cell = element("td", "", "none is configured");
    cell.colSpan = 6;
    row.append(cell);
    $("services").replaceChildren(row);
  }
  const lost = sum("audio_lost_seconds_total");
  $("summary").className = sum("draining") ? "bad" : "";
  $("summary").textContent = [
    `${sum("calls_active")} calls`, `${sum("legs_active")} legs`,
    `${sum("subscribers")} subscribers`,
    lost ? `${lost.toFixed(1)} s of audio lost` : "",
    sum("draining") ? "draining: no new calls" : "",
  ].filter(Boolean).join(" · ");
}

async function figures() {
  try {
    const answer = await fetch("/metrics", { cache: "no-store" });
    showFigures(parseMetrics(await answer.text()));
  } catch {
    $("summary").className = "bad";
    $("summary").textContent = "the daemon does not answer";
  }
}

const stream = new EventSource("/stream");
stream.onopen = () => { // everything comes again
  for (const c of calls.values()) c.card.remove();
  calls.clear();
  forgetOld();
};
stream.onmessage = (m) => onEvent(JSON.parse(m.data));
figures();
setInterval(figures, 5000);
setInterval(() => {
  for (const [id, c] of calls) if (!c.over) showCall(c, id, Date.now());
}, 1000);
