"use strict";
// The page's state is its address, which is the command line's options; the server answers it.

const $ = (id) => document.getElementById(id);
const state = { model: "", experiment: [], set: new Map(), scan: "", range: new Map(), cl: "90%" };
let parameters = [];
let unknown = [];  // parts of the address
let version = "";

// --- the address ---------------------------------------------------------------------------------------

function pair(text) {
  const at = text.indexOf("=");
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}

function readAddress() {
  const given = new URLSearchParams(location.search);
  unknown = [...given.keys()].filter((name) => !["model", "experiment", "set", "scan", "cl"].includes(name));
  state.model = given.get("model") ?? "nsi";
  state.experiment = given.getAll("experiment");
  if (!state.experiment.length) state.experiment = ["binh2021-csi"];
  state.set = new Map(given.getAll("set").map(pair));
  state.cl = given.get("cl") ?? "90%";
  state.range = new Map(given.getAll("scan").map(pair));
  state.scan = [...state.range.keys()][0] ?? "";
}

function query() {
  const parts = new URLSearchParams();
  parts.append("model", state.model);
  for (const name of state.experiment) parts.append("experiment", name);
  for (const [name, value] of state.set) parts.append("set", `${name}=${value}`);
  if (state.scan && state.range.has(state.scan)) parts.append("scan", `${state.scan}=${state.range.get(state.scan)}`);
  parts.append("cl", state.cl);
  return parts.toString();
}

// --- asking: one question at a time, the last one wins ----------------------------------------------------

let asking = false;
let waiting = false;

async function get(path) {
  const reply = await fetch(path);
  const record = await reply.json();
  if (!reply.ok) throw new Error(record.error ?? reply.statusText);
  return record;
}

let settling = 0;

// While a slider moves fits begin where the last ones ended; once it rests they search all valleys.
async function redraw(settled = false) {
  history.replaceState(null, "", `?${query()}`);
  clearTimeout(settling);
  if (asking) { waiting = true; return; }
  asking = true;
  const slow = setTimeout(() => { $("state").textContent = "computing …"; }, 300);
  const begun = performance.now();
  try {
    const asked = query();
    show(await get(`api/${settled ? "answer" : "moving"}?${asked}`));
    tell("");
    $("state").textContent = `${Math.round(performance.now() - begun)} ms`;
    document.body.dataset.drawn = asked;
    if (!settled && !waiting) settling = setTimeout(() => redraw(true), 400);
  } catch (error) {
    lost(error);
  } finally {
    clearTimeout(slow);
    asking = false;
  }
  if (waiting) { waiting = false; redraw(); }
}

function lost(error) {
  $("state").textContent = "";
  if (error instanceof TypeError) {  // nobody answers
    tell("The server is away: start nurecoil explore again, with the same --port; the page goes on by itself.");
    setTimeout(() => (parameters.length ? redraw() : begin()), 1000);
  } else {
    tell(error.message);
  }
}

function tell(text) {
  $("error").textContent = text;
  $("error").hidden = !text;
  for (const input of document.querySelectorAll("input.value, .ends input, #cl")) {
    const name = input.dataset.name;
    input.classList.toggle("wrong", Boolean(text && name && text.includes(name)));
  }
}

// --- sliders ------------------------------------------------------------------------------------------

const STEPS = 400;

function short(x, digits = 4) {
  return typeof x === "number" ? String(Number(x.toPrecision(digits))) : String(x);
}

function ends(p) {
  const text = state.range.get(p.name);
  const found = text && text.match(/^(.*?)\.\.(.*?)\s*([A-Za-z_]+2?)?$/);
  const numbers = found ? [Number(found[1]), Number(found[2])] : [NaN, NaN];
  return numbers.every(Number.isFinite) ? numbers : [p.low, p.high];
}

function place(p, value) {
  const [low, high] = ends(p);
  if (!Number.isFinite(value)) return STEPS;
  const share = p.log ? Math.log(Math.max(value, low) / low) / Math.log(high / low) : (value - low) / (high - low);
  return Math.round(STEPS * Math.min(1, Math.max(0, share)));
}

function valueAt(p, step) {
  const [low, high] = ends(p);
  const share = step / STEPS;
  const value = p.log ? low * (high / low) ** share : low + (high - low) * share;
  const fine = 10 ** Math.floor(Math.log10((high - low) / STEPS));
  return Number(p.log ? value.toPrecision(3) : (Math.round(value / fine) * fine).toPrecision(6));
}

function withUnit(p, value) {
  return p.unit && Number.isFinite(Number(value)) && value !== "" ? `${value} ${p.unit}` : String(value);
}

function bare(p, text) {
  return p.unit && text.endsWith(p.unit) ? text.slice(0, -p.unit.length).trim() : text;
}

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name in made && name !== "list") made[name] = value; else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function choice(p) {
  const select = element("select", { id: `value-${p.name}` }, ...p.choices.map((word) => new Option(word, word)));
  select.value = p.value;
  select.onchange = () => { state.set.set(p.name, select.value); begin(); };
  return element("div", { className: "parameter" },
    element("label", { className: "head" }, element("span", { className: "name" }, p.name), select),
    element("div", { className: "about" }, p.description));
}

function slider(p) {
  const range = element("input", { type: "range", min: 0, max: STEPS, step: 1, id: `slider-${p.name}` });
  range.setAttribute("aria-label", p.name);
  const box = element("input", { className: "value", id: `value-${p.name}`, autocomplete: "off", spellcheck: false });
  const scan = element("input", { type: "radio", name: "scan", id: `scan-${p.name}`, checked: p.name === state.scan });
  const [low, high] = ["low", "high"].map((end) => element("input", { autocomplete: "off", title: `${end} end of the slider` }));
  for (const input of [box, low, high]) input.dataset.name = p.name;
  box.setAttribute("aria-label", `value of ${p.name}`);

  const value = () => (state.set.has(p.name) ? bare(p, state.set.get(p.name)) : short(p.value, 6));
  const place_ = () => {
    range.value = place(p, Number(value()));
    range.setAttribute("aria-valuetext", withUnit(p, value()));
    const [a, b] = ends(p);
    low.value = short(a); high.value = short(b);
  };
  const set = (text) => {
    if (text === "" && !p.needed) state.set.delete(p.name); else state.set.set(p.name, withUnit(p, text));
    redraw();
  };
  range.oninput = () => { const x = valueAt(p, Number(range.value)); box.value = x; set(String(x)); };
  box.onchange = () => { set(box.value.trim()); box.value = value(); place_(); };
  for (const end of [low, high]) {
    end.onchange = () => { state.range.set(p.name, rangeText(p, low.value.trim(), high.value.trim())); place_(); redraw(); };
  }
  scan.onchange = () => {
    state.scan = p.name;
    if (!state.range.has(p.name)) state.range.set(p.name, rangeText(p, ...ends(p).map((x) => short(x, 6))));
    redraw();
  };
  box.value = value();
  place_();
  const unit = p.printed ? ` [${p.printed}]` : "";
  return element("div", { className: "parameter" },
    element("div", { className: "head" }, element("span", { className: "name", title: `allowed: ${p.allowed}` }, p.name + unit), box),
    range,
    element("div", { className: "ends" }, low, element("label", {}, scan, " limit"), high),
    element("div", { className: "about" }, p.description));
}

function rangeText(p, low, high) {
  return `${low}..${high}${p.unit ? ` ${p.unit}` : ""}`;
}

// --- drawing -------------------------------------------------------------------------------------------

const W = 560, H = 320, LEFT = 68, RIGHT = 14, TOP = 12, BOTTOM = 50;

function svg(tag, attributes = {}, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text) made.textContent = text;
  return made;
}

function scale(low, high, from, to, log = false) {
  const f = log ? Math.log : (x) => x;
  return (x) => from + ((f(x) - f(low)) / (f(high) - f(low))) * (to - from);
}

function ticks(low, high, log = false) {
  if (log) {
    const found = [];
    const all = Math.log10(high / low) < 1.5;
    for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++) {
      for (const m of all ? [1, 2, 5] : [1]) found.push(m * 10 ** e);
    }
    const inside = found.filter((x) => x >= low * 0.9999 && x <= high * 1.0001);
    return inside.length > 7 ? inside.filter((_, n) => n % 2 === 0) : inside;
  }
  const rough = (high - low) / 5;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = size * [1, 2, 5, 10].find((m) => m * size >= rough);
  const found = [];
  for (let x = Math.ceil(low / step) * step; x <= high + step * 1e-6; x += step) found.push(Math.abs(x) < step * 1e-6 ? 0 : x);
  return found;
}

function label(x) {
  const size = Math.abs(x);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) {
    const [digits, power] = x.toExponential(2).split("e");
    const raised = [...String(Number(power))].map((c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]).join("");
    return (Number(digits) === 1 ? "" : `${Number(digits)}·`) + `10${raised}`;
  }
  return String(Number(x.toPrecision(4))).replace("-", "−");
}

function axes(picture, x, y, xs, ys, xName, yName) {
  for (const at of xs) {
    picture.append(svg("line", { class: "axis", x1: x(at), x2: x(at), y1: H - BOTTOM, y2: H - BOTTOM + 4 }));
    picture.append(svg("text", { x: x(at), y: H - BOTTOM + 17, "text-anchor": "middle" }, label(at)));
  }
  for (const at of ys) {
    picture.append(svg("line", { class: "axis", x1: LEFT - 4, x2: LEFT, y1: y(at), y2: y(at) }));
    picture.append(svg("text", { x: LEFT - 8, y: y(at) + 4, "text-anchor": "end" }, label(at)));
  }
  picture.append(svg("path", { class: "axis", d: `M${LEFT},${TOP}V${H - BOTTOM}H${W - RIGHT}` }));
  picture.append(svg("text", { x: (LEFT + W - RIGHT) / 2, y: H - 8, "text-anchor": "middle" }, xName));
  picture.append(svg("text", { x: 14, y: (TOP + H - BOTTOM) / 2, "text-anchor": "middle", transform: `rotate(-90 14 ${(TOP + H - BOTTOM) / 2})` }, yName));
}

function stairs(edges, tops, x, y) {
  return tops.map((top, n) => `${n ? "L" : "M"}${x(edges[n])},${y(top)}H${x(edges[n + 1])}`).join("");
}

function area(edges, bottoms, tops, x, y) {
  const back = bottoms.map((low, n) => `L${x(edges[n + 1])},${y(low)}H${x(edges[n])}`).reverse().join("");
  return `${stairs(edges, tops, x, y)}${back}Z`;
}

function spectrum(e) {
  const edges = e.bin_edges, bins = e.counts.length;
  const binned = e.observed && e.observed.length === bins;
  const residual = $("residual").checked;
  const flat = new Array(bins).fill(0);
  const back = Object.values(e.backgrounds).filter((b) => b.length === bins).reduce((sum, b) => sum.map((s, n) => s + b[n]), flat);
  const base = residual ? flat : back;
  const model = base.map((b, n) => b + e.counts[n]);
  const standard = base.map((b, n) => b + e.standard_model_counts[n]);
  const data = binned ? e.observed.map((n, k) => n - (residual ? back[k] : 0)) : [];
  const tops = [...model, ...standard, ...data.map((n, k) => n + e.observed_errors[1][k])];
  const lows = [0, ...model, ...data.map((n, k) => n - e.observed_errors[0][k])];
  const x = scale(edges[0], edges[bins], LEFT, W - RIGHT);
  const low = Math.min(...lows), high = Math.max(...tops) * 1.05 || 1;
  const y = scale(low, high, H - BOTTOM, TOP);
  const picture = svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": `spectrum of ${e.name}` });
  if (!residual) picture.append(svg("path", { class: "background", d: area(edges, flat, back, x, y) }));
  picture.append(svg("path", { class: "signal", d: area(edges, base, model, x, y) }));
  picture.append(svg("path", { class: "line", d: stairs(edges, model, x, y) }));
  picture.append(svg("path", { class: "standard", d: stairs(edges, standard, x, y) }));
  data.forEach((n, k) => {
    if (!e.observed[k] && !back[k] && !e.counts[k]) return; // such as bins that are masked
    const at = (x(edges[k]) + x(edges[k + 1])) / 2;
    picture.append(svg("line", { class: "data", x1: at, x2: at, y1: y(n - e.observed_errors[0][k]), y2: y(n + e.observed_errors[1][k]) }));
    picture.append(svg("circle", { class: "data", cx: at, cy: y(n), r: 2.6 }));
  });
  axes(picture, x, y, ticks(edges[0], edges[bins]), ticks(low, high), e.observable, residual ? "counts − backgrounds" : "counts per bin");
  const seen = e.observed && !binned ? ` Observed in all bins: ${short(e.observed.reduce((a, b) => a + b, 0), 6)}.` : "";
  const what = "Blue: the model; dashed: the Standard Model" + (residual ? "" : "; grey: backgrounds") + (binned ? "; points: data." : ".");
  return element("figure", {}, picture, element("figcaption", {}, element("b", {}, e.title), ` ${what}${seen}`));
}

function curve(c, cl) {
  const x = scale(c.x[0], c.x[c.x.length - 1], LEFT, W - RIGHT, c.log);
  const high = Math.min(Math.max(...c.y) || 1, 3 * c.level);
  const y = scale(0, high, H - BOTTOM, TOP);
  const inside = (at) => Math.min(W - RIGHT, Math.max(LEFT, at));
  const picture = svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": `Δχ² of ${c.name}` });
  for (const [a, b] of c.allowed) {
    picture.append(svg("rect", { class: "allowed", x: inside(x(a)), width: Math.max(1, inside(x(b)) - inside(x(a))), y: TOP, height: H - BOTTOM - TOP }));
  }
  picture.append(svg("line", { class: "level", x1: LEFT, x2: W - RIGHT, y1: y(c.level), y2: y(c.level) }));
  const d = c.y.map((value, n) => `${n ? "L" : "M"}${x(c.x[n])},${y(Math.min(value, 1.2 * high))}`).join("");
  const clip = svg("clipPath", { id: "frame" });
  clip.append(svg("rect", { x: LEFT, y: TOP, width: W - RIGHT - LEFT, height: H - BOTTOM - TOP }));
  picture.append(clip, svg("path", { class: "line", d, "clip-path": "url(#frame)" }));
  if (typeof c.at === "number" && c.at >= c.x[0] && c.at <= c.x[c.x.length - 1]) {
    picture.append(svg("line", { class: "here", x1: x(c.at), x2: x(c.at), y1: TOP, y2: H - BOTTOM }));
  }
  const unit = c.unit ? ` [${c.unit}]` : "";
  axes(picture, x, y, ticks(c.x[0], c.x[c.x.length - 1], c.log), ticks(0, high), c.name + unit, "Δχ², pulls profiled");
  return element("figure", {}, picture,
    element("figcaption", {}, `Blue: allowed at ${cl} CL (Δχ² ≤ ${short(c.level, 3)}), from ${c.x.length} points; vertical: here.`));
}

function number(name, value, more = "") {
  return element("div", {}, element("small", {}, name), element("b", {}, value), more);
}

function show(answer) {
  const c = answer.curve;
  const first = c.x[0], end = c.x[c.x.length - 1], same = (a, b) => Math.abs(a - b) <= 1e-9 * Math.abs(b);
  const words = ([a, b]) => {
    if (same(a, first)) return same(b, end) ? "all of the range" : `up to ${short(b, 3)}`;
    return same(b, end) ? `from ${short(a, 3)}` : `${short(a, 3)} to ${short(b, 3)}`;
  };
  const allowed = c.allowed.map(words).join(" or ").replaceAll("-", "−") || "nothing in the range";
  $("numbers").replaceChildren(
    ...answer.experiments.map((e) => number(`${e.name}: counts`, e.total.toFixed(e.total < 10 ? 3 : 1), ` (Standard Model ${e.standard_model_total.toFixed(e.total < 10 ? 3 : 1)})`)),
    number("Δχ² from the Standard Model", (Number(answer.delta_chi2.toFixed(2)) + 0).toFixed(2).replace("-", "−")),
    number(`${c.name} at ${state.cl.replace("%", " %")} CL, about`, allowed, c.unit ? ` ${c.unit}` : ""));
  $("spectra").replaceChildren(...answer.experiments.map(spectrum));
  $("curve").replaceChildren(curve(c, state.cl.replace("%", " %")));
  $("notes").replaceChildren(...answer.notes.map((text) => element("li", {}, text)));
  $("commands").textContent = answer.commands;
  $("python").textContent = answer.python;
  last = answer;
}
let last = null;

// --- beginning -----------------------------------------------------------------------------------------

async function begin() {
  $("state").textContent = "compiling …";
  try {
    const choices = await get("api/choices");
    if (version && version !== choices.version) location.reload();
    version = choices.version;
    fill(choices);
    parameters = (await get(`api/parameters?${query()}`)).parameters;
    const numbers = parameters.filter((p) => !p.choices.length);
    for (const p of numbers) if (p.needed && !state.set.has(p.name)) state.set.set(p.name, withUnit(p, short(p.value, 3)));
    if (!numbers.some((p) => p.name === state.scan)) {
      const first = numbers.find((p) => p.needed && !p.log) ?? numbers.find((p) => p.name !== "sin2_theta_w" ) ?? numbers[0];
      state.scan = first.name;
    }
    const scanned = numbers.find((p) => p.name === state.scan);
    if (!state.range.has(state.scan)) state.range.set(state.scan, rangeText(scanned, short(scanned.low, 6), short(scanned.high, 6)));
    $("sliders").replaceChildren(...parameters.map((p) => (p.choices.length ? choice(p) : slider(p))));
    tell("");
    await redraw();
    if (unknown.length) tell(`The address has parts that mean nothing here: ${unknown.join(", ")}.`);
    unknown = [];
  } catch (error) {
    lost(error);
  }
}

function fill(choices) {
  $("model").replaceChildren(...choices.models.map((name) => new Option(name, name)));
  $("model").value = state.model;
  $("experiment-list").replaceChildren(...choices.experiments.map((name) => {
    const box = element("input", { type: "checkbox", checked: state.experiment.includes(name), id: `experiment-${name}` });
    box.onchange = () => {
      state.experiment = choices.experiments.filter((each) => (each === name ? box.checked : state.experiment.includes(each)));
      begin();
    };
    return element("label", {}, box, ` ${name}`);
  }));
  $("cl").value = state.cl;
}

$("model").onchange = $("reset").onclick = () => {
  Object.assign(state, { model: $("model").value, set: new Map(), scan: "", range: new Map(), cl: "90%" });
  begin();
};
$("cl").dataset.name = "confidence level";
$("cl").onchange = () => { state.cl = $("cl").value.trim() || "90%"; redraw(); };
$("residual").onchange = () => { if (last) $("spectra").replaceChildren(...last.experiments.map(spectrum)); };
for (const which of ["commands", "python"]) {
  $(`copy-${which}`).onclick = () => navigator.clipboard.writeText($(which).textContent);
}
addEventListener("popstate", () => { readAddress(); begin(); });
readAddress();
begin();
