// The runs of a search as points: parallel coordinates over all settings, and a slice for each setting. SVG, no library.
const SVG = "http://www.w3.org/2000/svg";
// Viridis at eight places, from dark to bright.
const VIRIDIS = ["#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725"];

function element(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

// A value's place between 0 and 1 on its axis.
function scaleOf(axis) {
  const scaled = axis.values.map((value) => (axis.log ? Math.log(value) : value));
  const low = Math.min(...scaled);
  const width = Math.max(...scaled) - low || 1;
  return scaled.map((value) => (value - low) / width);
}

function metricAxis(points) {
  return { name: points.metric, log: false, choices: null, values: points.runs.map((run) => run.metric) };
}

// From 0 for the worst run to 1 for the best, by rank, so that an outlier does not take all the colours.
function qualities(points) {
  const sign = points.direction === "min" ? -1 : 1;
  const order = points.runs.map((_, place) => place).sort((a, b) => sign * (points.runs[a].metric - points.runs[b].metric));
  const found = [];
  order.forEach((place, rank) => (found[place] = order.length > 1 ? rank / (order.length - 1) : 1));
  return found;
}

function colourOf(quality) {
  return VIRIDIS[Math.round(quality * (VIRIDIS.length - 1))];
}

function ends(axis) {
  if (axis.choices) return axis.choices.map((choice, place) => [place / Math.max(axis.choices.length - 1, 1), choice]);
  return [[0, shown(Math.min(...axis.values))], [1, shown(Math.max(...axis.values))]];
}

function titleOf(points, place) {
  const settings = points.axes.map((axis) => `${axis.name}=${axis.choices ? axis.choices[axis.values[place]] : shown(axis.values[place])}`);
  return `${points.runs[place].label}: ${settings.join(", ")}, ${points.metric} ${shown(points.runs[place].metric)}`;
}

function drawParallel(figure, points) {
  const axes = [...points.axes, metricAxis(points)];
  const [step, height, top, side] = [170, 260, 48, 70];
  const width = 2 * side + step * (axes.length - 1);
  const svg = element("svg", { width, viewBox: `0 0 ${width} ${height + top + 28}` });
  const places = axes.map(scaleOf);
  const y = (place) => top + height * (1 - place);
  const quality = qualities(points);
  const order = points.runs.map((_, place) => place).sort((a, b) => quality[a] - quality[b]);
  for (const run of order) {
    const line = places.map((column, axis) => `${side + step * axis},${y(column[run])}`).join(" ");
    const drawn = element("polyline", { points: line, fill: "none", stroke: colourOf(quality[run]), "stroke-width": 2 });
    drawn.append(element("title", {}, titleOf(points, run)));
    svg.append(drawn);
  }
  axes.forEach((axis, place) => {
    const x = side + step * place;
    svg.append(element("line", { x1: x, x2: x, y1: top, y2: top + height, class: "axis" }));
    svg.append(element("text", { x, y: 16, "text-anchor": "middle", class: "name" }, axis.name));
    for (const [at, text] of ends(axis)) {
      // Those of numbers are beyond the ends of the axis, where no line crosses them.
      const numbers = { x, y: y(at) + (at ? -6 : 16), "text-anchor": "middle", class: "end" };
      svg.append(element("text", axis.choices ? { x: x + 5, y: y(at) + 4, class: "end" } : numbers, text));
    }
  });
  figure.replaceChildren(svg);
}

function drawSlice(axis, points) {
  const [width, height, left, bottom] = [400, 240, 62, 40];
  const figure = document.createElement("figure");
  const svg = element("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${points.metric}, ${axis.name}` });
  const [xs, ys] = [scaleOf(axis), scaleOf(metricAxis(points))];
  const x = (place) => left + 8 + (width - left - 60) * place;
  const y = (place) => 12 + (height - bottom - 24) * (1 - place);
  svg.append(element("line", { x1: left, x2: left, y1: 8, y2: height - bottom, class: "axis" }));
  svg.append(element("line", { x1: left, x2: width, y1: height - bottom, y2: height - bottom, class: "axis" }));
  const quality = qualities(points);
  points.runs.forEach((run, place) => {
    const point = element("circle", { cx: x(xs[place]), cy: y(ys[place]), r: 5, fill: colourOf(quality[place]), class: "run" });
    point.append(element("title", {}, titleOf(points, place)));
    svg.append(point);
  });
  for (const [at, text] of ends(axis)) {
    svg.append(element("text", { x: x(at), y: height - bottom + 16, "text-anchor": "middle", class: "end" }, text));
  }
  for (const [at, text] of ends(metricAxis(points))) {
    svg.append(element("text", { x: left - 5, y: y(at) + 4, "text-anchor": "end", class: "end" }, text));
  }
  const caption = document.createElement("figcaption");
  caption.textContent = `${axis.name}${axis.log ? ` (${word("logarithmic")})` : ""}`;
  figure.append(caption, svg);
  return figure;
}

function drawPoints() {
  if (!data.points || !document.querySelector(".parallel")) return;
  drawParallel(document.querySelector(".parallel"), data.points);
  document.querySelector(".slices").replaceChildren(...data.points.axes.map((axis) => drawSlice(axis, data.points)));
}

drawPoints();
