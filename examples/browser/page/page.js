"use strict";

// The page: what is shown follows from the model, the row x and the number of grades used.
// The address may name them: ?model=chirp&x=0.25&grade=2

const $ = (id) => document.getElementById(id);
const make = (tag, properties, ...children) => {
  const e = Object.assign(document.createElement(tag), properties);
  e.append(...children);
  return e;
};
const short = (v) => (Number.isFinite(v) ? String(Number(v.toPrecision(5))) : "–");

let model = null; // what multigrade.open says
let x = []; // the row
let moved = 0; // the input moved last
let used = 0; // grades

// predictions after each grade, from the prior on, for some rows: [row][grade][output]
function predict(rows) {
  const y = multigrade.predict(rows.flat());
  const outputs = y.length / rows.length / model.grades.length;
  let i = 0;
  return rows.map(() => model.grades.map(() => y.slice(i, (i += outputs))));
}

function fail(text) {
  $("message").textContent = text;
  $("message").hidden = !text;
}

function open(file, row, grades) {
  const answer = multigrade.open(new Uint8Array(file));
  if (answer instanceof Error) {
    fail(answer.message);
    return;
  }
  fail("");
  model = JSON.parse(answer);
  x = model.features.map((f, i) => row[i] ?? (f.levels ? 0 : f.missing));
  moved = Math.max(0, model.features.findIndex((f) => !f.levels && f.min < f.max));
  used = Math.min(Math.max(grades ?? Infinity, 0), model.grades.length - 1);
  $("inputs").replaceChildren(...model.features.map(control));
  $("grade").max = model.grades.length - 1;
  $("valuehead").textContent = model.task === "classification" ? "most probable" : model.targets[0].name;
  $("grades").replaceChildren(...model.grades.map(gradeRow));
  show();
}

// control moves one input.
function control(feature, i) {
  const set = (v) => {
    x[i] = v;
    if (!feature.levels) moved = i;
    show();
  };
  if (feature.levels) {
    const options = feature.levels.map((l, j) => make("option", { value: j, textContent: l || "(missing)", selected: x[i] === j }));
    const select = make("select", { onchange: () => set(Number(select.value)) }, ...options);
    return make("label", { className: "slider" }, make("span", { textContent: feature.name }), select);
  }
  const step = (feature.max - feature.min) / 1000 || 1;
  const range = make("input", { type: "range", min: feature.min, max: feature.max, step: "any", value: x[i], disabled: feature.min >= feature.max, ariaLabel: feature.name });
  const number = make("input", { type: "number", step, value: short(x[i]), ariaLabel: feature.name });
  range.oninput = () => {
    number.value = short(Number(range.value));
    set(Number(range.value));
  };
  number.oninput = () => {
    if (number.value === "") return;
    range.value = number.value;
    set(Number(number.value));
  };
  return make("div", { className: "slider" }, make("span", { textContent: feature.name, title: feature.name }), number, range);
}

function gradeRow(g, i) {
  const cell = (textContent) => make("td", { textContent });
  const form = g.hidden ? `${g.kind} ${g.hidden.join("-")}` : g.kind;
  const row = make("tr", { onclick: () => choose(i) }, cell(i || "–"), cell(form), cell(g.params.toLocaleString("en")), cell(g.loss == null ? "–" : short(g.loss)), cell(""));
  return row;
}

function choose(grades) {
  used = grades;
  show();
}

// bits writes a number as its 64 bits, so that nothing is lost on the way to a reader.
function bits(v) {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, v);
  return view.getBigUint64(0).toString(16).padStart(16, "0");
}

function show() {
  const [y] = predict([x]);
  const names = model.task === "classification" ? model.targets[0].levels : model.targets.map((t) => t.name);
  $("grade").value = used;
  $("used").textContent = used ? `${used} of ${model.grades.length - 1}` : "none: the prior";
  [...$("grades").rows].forEach((row, g) => {
    row.classList.toggle("chosen", g === used);
    row.dataset.bits = y[g].map(bits).join(" ");
    row.cells[4].textContent = model.task === "classification" ? names[y[g].indexOf(Math.max(...y[g]))] : short(y[g][0]);
  });
  $("outputs").replaceChildren(
    ...y[used].map((v, i) =>
      model.task === "classification"
        ? make("div", { className: "class" }, make("span", { textContent: names[i] }), make("i", { style: `width: ${100 * v}%` }), make("b", { textContent: `${(100 * v).toFixed(1)} %` }))
        : make("div", { className: "value" }, make("span", { textContent: names[i] }), make("strong", { textContent: short(v) })),
    ),
  );
  curve(y[used]);
}

// curve draws the first output, or the most probable class, along the input moved last:
// the grades used, and faintly those before.
function curve(now) {
  const feature = model.features[moved];
  const figure = $("curve").parentElement;
  figure.hidden = !feature || feature.levels || feature.min >= feature.max;
  if (figure.hidden) return;
  const output = model.task === "classification" ? now.indexOf(Math.max(...now)) : 0;
  const [width, height, left, right, top, bottom] = [640, 300, 52, 12, 10, 26];
  const points = 240;
  const at = Array.from({ length: points + 1 }, (_, i) => feature.min + ((feature.max - feature.min) * i) / points);
  const rows = at.map((v) => x.map((old, i) => (i === moved ? v : old)));
  const ys = predict(rows).map((grades) => grades.slice(0, used + 1).map((o) => o[output]));
  let low = model.task === "classification" ? 0 : Math.min(...ys.flat(), now[output]);
  let high = model.task === "classification" ? 1 : Math.max(...ys.flat(), now[output]);
  if (low === high) [low, high] = [low - 1, high + 1];
  const px = (v) => left + ((v - feature.min) / (feature.max - feature.min)) * (width - left - right);
  const py = (v) => height - bottom - ((v - low) / (high - low)) * (height - top - bottom);
  const draw = (tag, attributes, text) => {
    const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
    e.textContent = text ?? "";
    return e;
  };
  const shapes = [];
  for (const v of [low, (low + high) / 2, high]) {
    shapes.push(draw("line", { x1: left, x2: width - right, y1: py(v), y2: py(v) }));
    shapes.push(draw("text", { x: left - 8, y: py(v) + 4, "text-anchor": "end" }, Number(v.toPrecision(3))));
  }
  shapes.push(draw("text", { x: left, y: height - 6 }, short(feature.min)));
  shapes.push(draw("text", { x: width - right, y: height - 6, "text-anchor": "end" }, short(feature.max)));
  for (let g = used ? 1 : 0; g <= used; g++) {
    const d = ys.map((grades, i) => `${i ? "L" : "M"}${px(at[i]).toFixed(1)} ${py(grades[g]).toFixed(1)}`).join("");
    shapes.push(draw("path", { d, class: g === used ? "chosen" : "" }));
  }
  const here = Math.min(Math.max(x[moved], feature.min), feature.max);
  shapes.push(draw("circle", { cx: px(here), cy: py(now[output]), r: 6 }));
  $("curve").replaceChildren(...shapes);
  const what = model.task === "classification" ? `probability of ${model.targets[0].levels[output]}` : model.targets[0].name;
  $("caption").textContent = `${what} along ${feature.name}${used > 1 ? ", fainter after fewer grades" : ""}`;
}

async function example(name, row = [], grades = undefined) {
  const response = await fetch(`${name}.safetensors`);
  if (!response.ok) throw new Error(`there is no model ${name}`);
  open(await response.arrayBuffer(), row, grades);
}

async function begin() {
  const go = new Go();
  const { instance } = await WebAssembly.instantiateStreaming(fetch("multigrade.wasm"), go.importObject);
  go.run(instance);
  const asked = new URLSearchParams(location.search);
  const name = asked.get("model") ?? "chirp";
  $("examples").value = name;
  $("examples").onchange = () => example($("examples").value).catch((e) => fail(e.message));
  $("grade").oninput = () => choose(Number($("grade").value));
  const read = async (file) => {
    $("examples").value = "";
    open(await file.arrayBuffer(), []);
  };
  $("file").onchange = () => $("file").files[0] && read($("file").files[0]);
  document.ondragover = (e) => e.preventDefault();
  document.ondrop = (e) => {
    e.preventDefault();
    if (e.dataTransfer.files[0]) read(e.dataTransfer.files[0]);
  };
  const row = asked.get("x") ? asked.get("x").split(",").map(Number) : [];
  await example(name, row, asked.has("grade") ? Number(asked.get("grade")) : undefined);
}

begin().catch((e) => fail(e.message));
