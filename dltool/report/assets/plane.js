// The plane of two inputs with the predicted classes and the samples; of one input, the curve of the predictions.
const CLASS_COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#777777"];
const MARGIN = { left: 58, right: 12, top: 10, bottom: 46 }; // Pixels around the plane.
const NODES = 56; // Along each axis.
const STRONGEST = 0.6; // Of a class's colour where the network is sure.
const POINT = 5;

// Paths around (0, 0) with about the same area: shapes tell classes apart without colour.
const SHAPES = [
  (context, r) => context.arc(0, 0, r, 0, 2 * Math.PI),
  (context, r) => context.rect(-0.9 * r, -0.9 * r, 1.8 * r, 1.8 * r),
  (context, r) => polygon(context, r * 1.25, 3, -Math.PI / 2),
  (context, r) => polygon(context, r * 1.2, 4, 0),
  (context, r) => polygon(context, r * 1.25, 3, Math.PI / 2),
  (context, r) => polygon(context, r * 1.1, 5, -Math.PI / 2),
  (context, r) => polygon(context, r * 1.1, 6, 0),
];

function polygon(context, r, corners, turn) {
  for (let i = 0; i < corners; i++) {
    const angle = turn + (2 * Math.PI * i) / corners;
    context.lineTo(r * Math.cos(angle), r * Math.sin(angle));
  }
  context.closePath();
}

function drawMarker(context, x, y, place, isHollow) {
  const colour = CLASS_COLOURS[place % CLASS_COLOURS.length];
  context.save();
  context.translate(x, y);
  context.beginPath();
  SHAPES[place % SHAPES.length](context, POINT);
  Object.assign(context, { fillStyle: isHollow ? "#ffffff" : colour, strokeStyle: isHollow ? colour : "#ffffff", lineWidth: isHollow ? 2 : 1 });
  context.fill();
  context.stroke();
  context.restore();
}

// The limits of some numbers with a margin of a tenth.
function limitsOf(numbers) {
  let [low, high] = [Infinity, -Infinity];
  for (const number of numbers) [low, high] = [Math.min(low, number), Math.max(high, number)];
  const margin = 0.1 * (high - low) || 1;
  return [low - margin, high + margin];
}

// About five round numbers between two limits.
function ticksOf([low, high]) {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  const found = [];
  for (let tick = Math.ceil(low / step); tick <= high / step; tick++) found.push(tick * step);
  return found;
}

// Where a plane is on a canvas: limits of both axes in the model's numbers, those of inputs perhaps given, and the names
// and units to write there.
function makePlane(canvas, points, given = []) {
  const all = Object.values(points.points).flatMap((split) => split.inputs.map((input, place) => [input[0], input[1] ?? split.targets[place]]));
  const target = points.classes.length ? null : { name: word("target"), shift: points.target.shift[0], factor: points.target.factor[0] };
  const units = [0, 1].map((axis) => (axis && target) || { name: points.names[axis], shift: points.shift[axis], factor: points.factor[axis] });
  const limits = [0, 1].map((axis) => given[axis] ?? limitsOf(all.map((point) => point[axis])));
  const [width, height] = [canvas.width - MARGIN.left - MARGIN.right, canvas.height - MARGIN.top - MARGIN.bottom];
  const x = (value) => MARGIN.left + (width * (value - limits[0][0])) / (limits[0][1] - limits[0][0]);
  const y = (value) => MARGIN.top + height * (1 - (value - limits[1][0]) / (limits[1][1] - limits[1][0]));
  return { context: canvas.getContext("2d"), width, height, limits, units, x, y };
}

function at([low, high], place) {
  return low + (high - low) * place;
}

// The inputs at the centres of the cells of a grid, row by row from the top; of one input, along the axis.
function gridOf({ limits }, isPlane) {
  const centres = Array.from({ length: NODES }, (_, i) => (i + 0.5) / NODES);
  if (!isPlane) return Float64Array.from(centres, (place) => at(limits[0], place));
  return Float64Array.from(centres.flatMap((row) => centres.flatMap((column) => [at(limits[0], column), at(limits[1], 1 - row)])));
}

// White where no class is likelier than another, a class's colour where it is sure.
function blended(best, share, count) {
  const sure = (STRONGEST * (share - 1 / count)) / (1 - 1 / count);
  const colour = CLASS_COLOURS[best % CLASS_COLOURS.length];
  return [1, 3, 5].map((place) => 255 + (parseInt(colour.slice(place, place + 2), 16) - 255) * sure);
}

// The colours of the cells of a grid, `side` by `side`.
function drawClasses(plane, side, colourOfCell) {
  const small = document.createElement("canvas");
  paint(small, side, side, colourOfCell);
  plane.context.imageSmoothingEnabled = true;
  plane.context.drawImage(small, MARGIN.left, MARGIN.top, plane.width, plane.height);
}

function drawCurve(plane, grid, outputs) {
  const { context } = plane;
  context.save();
  context.beginPath();
  context.rect(MARGIN.left, MARGIN.top, plane.width, plane.height);
  context.clip();
  context.beginPath();
  outputs.forEach((value, i) => context.lineTo(plane.x(grid[i]), plane.y(value)));
  Object.assign(context, { strokeStyle: CLASS_COLOURS[1], lineWidth: 3 });
  context.stroke();
  context.restore();
}

function drawAxes({ context, width, height, limits, units, x, y }) {
  Object.assign(context, { strokeStyle: textColour("--muted"), fillStyle: textColour("--text"), lineWidth: 1, font: "14px system-ui, sans-serif" });
  context.strokeRect(MARGIN.left, MARGIN.top, width, height);
  const raw = (axis) => limits[axis].map((value) => value * units[axis].factor + units[axis].shift).sort((a, b) => a - b);
  const scaled = (axis, tick) => (tick - units[axis].shift) / units[axis].factor;
  context.textAlign = "center";
  for (const tick of ticksOf(raw(0))) context.fillText(shown(tick), x(scaled(0, tick)), MARGIN.top + height + 18);
  context.fillText(units[0].name, MARGIN.left + width / 2, MARGIN.top + height + 38);
  context.textAlign = "right";
  for (const tick of ticksOf(raw(1))) context.fillText(shown(tick), MARGIN.left - 6, y(scaled(1, tick)) + 5);
  context.save();
  context.translate(14, MARGIN.top + height / 2);
  context.rotate(-Math.PI / 2);
  context.textAlign = "center";
  context.fillText(units[1].name, 0, 0);
  context.restore();
}

// Draws the predictions of a network and the samples; those of validation are hollow.
function drawPlane(plane, points, mlp) {
  const isPlane = points.classes.length > 0;
  const grid = gridOf(plane, isPlane);
  const { outputs } = forward(mlp, grid);
  const size = points.outputs;
  const colourOfCell = (i) => {
    const shares = probabilities(outputs.subarray(i * size, (i + 1) * size));
    const best = shares.indexOf(Math.max(...shares));
    return blended(best, shares[best], shares.length);
  };
  drawOver(plane, points, () => isPlane && drawClasses(plane, NODES, colourOfCell), () => isPlane || drawCurve(plane, grid, outputs));
}

// The same for predictions that dltool has made: see dltool/introspection/plane_predictions.py.
function drawPredictions(plane, points, { classes, shares, values }) {
  const isPlane = classes.length > 0;
  const colourOfCell = (i) => blended(classes[i], shares[i] / 100, points.classes.length);
  const grid = values.map((_, place) => at(plane.limits[0], (place + 0.5) / values.length));
  const scaled = values.map((value) => (value - plane.units[1].shift) / plane.units[1].factor);
  drawOver(plane, points, () => isPlane && drawClasses(plane, Math.sqrt(classes.length), colourOfCell), () => isPlane || drawCurve(plane, grid, scaled));
}

// What is below the samples, the samples, what is above them, the axes.
function drawOver(plane, points, below, above) {
  const isPlane = points.classes.length > 0;
  plane.context.clearRect(0, 0, plane.context.canvas.width, plane.context.canvas.height);
  below();
  for (const [split, { inputs, targets }] of Object.entries(points.points)) {
    inputs.forEach(([first, second], place) => {
      drawMarker(plane.context, plane.x(first), plane.y(second ?? targets[place]), isPlane ? targets[place] : 0, split === "val");
    });
  }
  above();
  drawAxes(plane);
}

function makeLegend(list, points) {
  const names = points.classes.length ? points.classes : [word("train")];
  list.replaceChildren();
  const entries = names.map((name, place) => [name, place, false]);
  if (points.points.val) entries.push([word("validation: hollow"), 0, true]);
  for (const [name, place, isHollow] of entries) {
    const canvas = Object.assign(document.createElement("canvas"), { width: 16, height: 16 });
    canvas.setAttribute("aria-hidden", "true");
    drawMarker(canvas.getContext("2d"), 8, 8, place, isHollow);
    const entry = document.createElement("li");
    entry.append(canvas, ` ${name}`);
    list.append(entry);
  }
}

// The section of what the run's own network predicts, over the samples that the page was loaded with.
function showPredictions() {
  const part = document.getElementById("part-plane");
  if (!part?.dataset.plane || !data.playground) return;
  const { points } = data.playground;
  const predictions = JSON.parse(part.dataset.plane);
  drawPredictions(makePlane(part.querySelector("canvas"), points, predictions.limits), points, predictions);
  makeLegend(part.querySelector(".legend"), points);
}

showPredictions();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showPredictions);
["beforeprint", "afterprint"].forEach((name) => addEventListener(name, showPredictions));
