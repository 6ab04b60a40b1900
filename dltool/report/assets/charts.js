// The curves: uPlot charts with one zoom for all, driven by mouse or keyboard.
"use strict";
const data = JSON.parse(document.getElementById("page-content").textContent);
const word = (text) => data.words[text] ?? text;
// Okabe and Ito's colours, of which those for the dark background are lighter; dashes tell lines apart without colour.
const COLOURS = { light: ["#0072B2", "#B84A00", "#007A5A", "#9B4F80"], dark: ["#56B4E9", "#E69F00", "#2BC79A", "#E29BC4"] };
const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3]];
const PAPER = { "--text": "#000000", "--muted": "#333333", "--line": "#bbbbbb" };
let isPrinting = false;
const isDark = () => !isPrinting && matchMedia("(prefers-color-scheme: dark)").matches;
const HEIGHT = 260;
const MAX_VALUES = 6; // In the line below a chart.
const WHOLE = [...Array(10).keys()].flatMap((power) => [1, 2, 5].map((first) => first * 10 ** power)); // Between the ticks of steps and epochs.
const charts = [];

function coloursOf() {
  return COLOURS[isDark() ? "dark" : "light"];
}

function textColour(name) {
  if (isPrinting) return PAPER[name];
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function axisOf(chart) {
  const axis = document.getElementById("axis").value;
  return chart.x[axis] ? axis : "step"; // Before the first epoch ends there are only steps.
}

function valuesOf(chart) {
  return [chart.x[axisOf(chart)], ...chart.series.map((one) => one.values)];
}

function positiveOnly(values, logarithmic) {
  return logarithmic ? values.map((column, place) => (place ? column.map((y) => (y > 0 ? y : null)) : column)) : values;
}

// With so many digits that two ticks never look the same.
function tickLabels(plot, ticks, axis, space, increment) {
  const largest = Math.max(...ticks.map((tick) => Math.abs(tick ?? 0)));
  const digits = plot.scales.y.distr === 3 ? 0 : Math.ceil(Math.log10(largest / increment)) + 1;
  return ticks.map((tick) => (tick === null ? "" : shown(tick, digits)));
}

function widthOf(_, labels) {
  return Math.max(64, ...(labels ?? []).map((label) => 16 + 7.5 * label.length));
}

function options(chart, width) {
  const logarithmic = document.getElementById("logarithmic").checked;
  const grid = { stroke: textColour("--line"), width: 1 };
  const axis = { stroke: textColour("--text"), grid, ticks: grid };
  const series = chart.series.map((one, place) => ({
    label: one.label,
    stroke: coloursOf()[place % 4],
    dash: DASHES[Math.floor(place / 4 + place) % 4],
    width: 2,
    spanGaps: true,
    points: { show: (plot, number) => plot.data[number].filter((y) => y !== null).length < 40, size: 5 },
  }));
  return {
    width,
    height: HEIGHT,
    scales: { x: { time: false }, y: { distr: logarithmic ? 3 : 1 } },
    axes: [{ ...axis, label: word(axisOf(chart)), labelSize: 22, size: 36, incrs: WHOLE }, { ...axis, size: widthOf, values: tickLabels }],
    series: [{ label: word(axisOf(chart)) }, ...series],
    cursor: { sync: { key: "curves" } },
    legend: { live: false },
  };
}

function draw(figure) {
  const chart = data.charts[Number(figure.dataset.chart)];
  const place = figure.querySelector(".plot");
  place.replaceChildren();
  const logarithmic = document.getElementById("logarithmic").checked;
  const values = positiveOnly(valuesOf(chart), logarithmic);
  const plot = new uPlot(options(chart, place.clientWidth || 400), values, place);
  return { figure, chart, plot, cursor: values[0].length - 1 };
}

function drawAll() {
  charts.splice(0, charts.length, ...[...document.querySelectorAll(".chart")].map(draw));
  charts.forEach(describe);
}

function shown(value, digits = 4) {
  return value === null || value === undefined ? "–" : String(Number(value.toPrecision(Math.min(Math.max(digits, 4), 15))));
}

function describe(one) {
  const columns = one.plot.data;
  const x = `${word(axisOf(one.chart))} ${shown(columns[0][one.cursor])}`;
  const values = one.chart.series.map((series, place) => `${series.label} ${shown(latest(columns[place + 1], one.cursor))}`);
  const more = values.length > MAX_VALUES ? ["…"] : [];
  one.figure.querySelector(".values").textContent = [x, ...values.slice(0, MAX_VALUES), ...more].join("; ");
}

function latest(column, place) {
  for (let i = place; i >= 0; i--) if (column[i] !== null) return column[i];
  return null;
}

function zoom(one, factor) {
  const xs = one.plot.data[0];
  const { min, max } = one.plot.scales.x;
  const middle = xs[one.cursor];
  const low = Math.max(xs[0], middle - (middle - min) * factor);
  const high = Math.min(xs[xs.length - 1], middle + (max - middle) * factor);
  if (high > low) one.plot.setScale("x", { min: low, max: high });
}

function showAll() {
  charts.forEach((one) => one.plot.setScale("x", { min: one.plot.data[0][0], max: one.plot.data[0].at(-1) }));
}

function move(one, by) {
  one.cursor = Math.min(Math.max(one.cursor + by, 0), one.plot.data[0].length - 1);
  const left = one.plot.valToPos(one.plot.data[0][one.cursor], "x");
  one.plot.setCursor({ left, top: 10 });
  describe(one);
}

function onKey(event) {
  const one = charts.find((chart) => chart.figure.contains(event.target));
  if (!one || event.ctrlKey || event.metaKey || event.altKey) return;
  const actions = {
    ArrowLeft: () => move(one, -1),
    ArrowRight: () => move(one, 1),
    "+": () => zoom(one, 0.5),
    "=": () => zoom(one, 0.5),
    "-": () => zoom(one, 2),
    0: showAll,
  };
  if (actions[event.key]) {
    actions[event.key]();
    event.preventDefault();
  }
}

if (document.getElementById("axis")) {
  drawAll();
  document.getElementById("axis").addEventListener("change", drawAll);
  document.getElementById("logarithmic").addEventListener("change", drawAll);
  document.getElementById("whole").addEventListener("click", showAll);
  document.addEventListener("keydown", onKey);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  // On paper charts have the colours and the width of the paper.
  const print = (value) => {
    isPrinting = value;
    drawAll();
  };
  addEventListener("beforeprint", () => print(true));
  addEventListener("afterprint", () => print(false));
  let waiting = 0;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(drawAll, 150);
  });
}
