// "Try it": a drawing and what the run's network makes of it, or a code and the image that it becomes.
const PEN = 20; // Width of the pen on the canvas of 280 pixels.
const SHOWN_MAPS = 8;
const SHOWN_CODES = 8;
const LONGEST_TEXT = 400; // Characters.

// The drawing as numbers of 0 … 1, light on dark, row by row.
function inkOf(canvas) {
  const { data: pixels } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return Float32Array.from({ length: canvas.width * canvas.height }, (_, i) => pixels[4 * i + 3] / 255);
}

// The square around the ink that holds it at the share `extent` of the image, its centre of mass in the middle, as
// MNIST was made (LeCun et al. 1998); null without ink.
function frameOf(ink, side, extent) {
  let [left, right, top, bottom, mass, x, y] = [side, -1, side, -1, 0, 0, 0];
  ink.forEach((value, i) => {
    if (value <= 0) return;
    const [column, row] = [i % side, Math.floor(i / side)];
    [left, right] = [Math.min(left, column), Math.max(right, column)];
    [top, bottom] = [Math.min(top, row), Math.max(bottom, row)];
    mass += value;
    x += value * column;
    y += value * row;
  });
  if (!mass) return null;
  const width = Math.max(right - left, bottom - top) + 1;
  return { x: x / mass + 0.5, y: y / mass + 0.5, side: width / extent };
}

// The mean of the ink in each cell of a grid over the frame.
function sampled(ink, side, frame, [height, width]) {
  const found = new Float32Array(height * width);
  const [stepX, stepY] = [frame.side / width, frame.side / height];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      let [sum, count] = [0, 0];
      const [x0, y0] = [frame.x - frame.side / 2 + column * stepX, frame.y - frame.side / 2 + row * stepY];
      for (let y = Math.round(y0); y < Math.max(Math.round(y0 + stepY), Math.round(y0) + 1); y++) {
        for (let x = Math.round(x0); x < Math.max(Math.round(x0 + stepX), Math.round(x0) + 1); x++) {
          count++;
          if (x >= 0 && y >= 0 && x < side && y < side) sum += ink[y * side + x];
        }
      }
      found[row * width + column] = sum / count;
    }
  }
  return found;
}

// Bilinear interpolation with pixel centres at halves, as torch does without antialiasing for larger images.
function resized(values, [height, width], [rows, columns]) {
  if (height === rows && width === columns) return values;
  const found = new Float32Array(rows * columns);
  const at = (place, from, to) => Math.min(Math.max(((place + 0.5) * from) / to - 0.5, 0), from - 1);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [y, x] = [at(row, height, rows), at(column, width, columns)];
      const [y0, x0] = [Math.floor(y), Math.floor(x)];
      const [y1, x1] = [Math.min(y0 + 1, height - 1), Math.min(x0 + 1, width - 1)];
      const top = values[y0 * width + x0] * (x0 + 1 - x) + values[y0 * width + x1] * (x - x0);
      const bottom = values[y1 * width + x0] * (x0 + 1 - x) + values[y1 * width + x1] * (x - x0);
      found[row * columns + column] = top * (y0 + 1 - y) + bottom * (y - y0);
    }
  }
  return found;
}

// The network's input for a drawing; null without ink.
function inputOf(canvas, image) {
  const ink = inkOf(canvas);
  const frame = frameOf(ink, canvas.width, image.extent || 1);
  if (!frame) return null;
  const small = sampled(ink, canvas.width, frame, image.raw_size);
  const pixels = resized(small, image.raw_size, image.size).map((value) => 255 * (image.light ? value : 1 - value));
  const area = pixels.length;
  const input = new Float32Array(image.channels * area);
  for (let c = 0; c < image.channels; c++) {
    for (let i = 0; i < area; i++) input[c * area + i] = (pixels[i] - image.shift[c]) * image.factor[c];
  }
  return input;
}

function probabilities(scores) {
  if (scores.length === 1) {
    const p = sigmoid(scores[0]);
    return [1 - p, p];
  }
  return [...softmax([tensor([1, scores.length], Float32Array.from(scores))], { dim: 1 }).data];
}

function colour(value) {
  const place = Math.min(Math.max(value, 0), 1) * (VIRIDIS.length - 1);
  const [low, high] = [VIRIDIS[Math.floor(place)], VIRIDIS[Math.ceil(place)]];
  const part = place - Math.floor(place);
  return [1, 3, 5].map((at) => {
    const [a, b] = [low, high].map((one) => parseInt(one.slice(at, at + 2), 16));
    return a + (b - a) * part;
  });
}

// Draws numbers on a canvas of their own size; toColour gives red, green and blue for a place.
function paint(canvas, height, width, toColour) {
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  const picture = context.createImageData(width, height);
  for (let i = 0; i < height * width; i++) picture.data.set([...toColour(i), 255], 4 * i);
  context.putImageData(picture, 0, 0);
}

function showMaps(place, { tensors }) {
  place.replaceChildren();
  for (const number of data.network.maps) {
    const { shape, data: values } = tensors.get(number);
    const [, channels, height, width] = shape;
    const line = document.createElement("div");
    for (let c = 0; c < Math.min(channels, SHOWN_MAPS); c++) {
      const own = values.subarray(c * height * width, (c + 1) * height * width);
      const [low, high] = [Math.min(...own), Math.max(...own)];
      const canvas = document.createElement("canvas");
      paint(canvas, height, width, (i) => colour((own[i] - low) / (high - low || 1)));
      line.append(canvas);
    }
    place.append(line);
  }
}

function makeBars(body, names) {
  return names.map((name) => {
    const row = body.insertRow();
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = name;
    row.append(head);
    const bar = element("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" });
    const filled = element("rect", { width: 0, height: 10, class: "bar" });
    bar.append(filled);
    row.insertCell().append(bar);
    return { filled, text: row.insertCell() };
  });
}

function tryDrawing(section) {
  const canvas = section.querySelector(".drawing");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const network = makeNetwork(data.network.program);
  const bars = makeBars(section.querySelector(".bars tbody"), data.network.classes);
  const pen = { x: canvas.width / 2, y: canvas.height / 2, down: false };
  Object.assign(context, { lineWidth: PEN, lineCap: "round", lineJoin: "round", strokeStyle: textColour("--text") });

  function line(x, y) {
    context.beginPath();
    context.moveTo(pen.x, pen.y);
    context.lineTo(x, y);
    context.stroke();
    [pen.x, pen.y] = [x, y];
  }

  function answer() {
    const input = inputOf(canvas, data.network.image);
    const told = input ? network(input) : null;
    const shares = told ? probabilities(told.output.data) : bars.map(() => 0);
    bars.forEach((bar, place) => {
      bar.filled.setAttribute("width", 100 * shares[place]);
      bar.text.textContent = told ? `${(100 * shares[place]).toFixed(1)} %` : "";
    });
    const best = shares.indexOf(Math.max(...shares));
    section.querySelector(".prediction").textContent = told ? data.network.classes[best] : "–";
    if (told) showMaps(section.querySelector(".maps"), told);
    else section.querySelector(".maps").replaceChildren();
  }

  function clear() {
    context.clearRect(0, 0, canvas.width, canvas.height);
    answer();
  }

  function placeOf(event) {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) * canvas.width) / box.width, ((event.clientY - box.top) * canvas.height) / box.height];
  }

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pen.down = true;
    [pen.x, pen.y] = placeOf(event);
    line(pen.x, pen.y);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (pen.down && event.buttons) line(...placeOf(event));
  });
  canvas.addEventListener("pointerup", () => {
    pen.down = false;
    answer();
  });
  canvas.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key === " ") pen.down = !pen.down;
    else if (event.key === "Delete" || event.key === "Backspace") clear();
    else if (!moves[event.key]) return;
    event.preventDefault();
    const [dx, dy] = moves[event.key] ?? [0, 0];
    const [x, y] = [pen.x + 14 * dx, pen.y + 14 * dy].map((one) => Math.min(Math.max(one, PEN / 2), canvas.width - PEN / 2));
    if (pen.down) line(x, y);
    else [pen.x, pen.y] = [x, y];
    answer();
  });
  section.querySelector(".clear").addEventListener("click", clear);
  clear();
}

function normal() {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}

function tryCode(section) {
  const network = makeNetwork(data.network.program);
  const size = data.network.program.shapes[0].at(-1);
  const code = new Float32Array(size).map(normal);
  const canvas = section.querySelector(".made");
  const { image } = data.network;

  function show() {
    const { shape, data: values } = network(code).output;
    const [height, width] = shape.slice(-2);
    const area = height * width;
    const pixel = (i, c) => values[c * area + i] / image.factor[c] + image.shift[c];
    paint(canvas, height, width, (i) => [0, 1, 2].map((c) => pixel(i, image.channels === 3 ? c : 0)));
  }

  const sliders = [...code.subarray(0, SHOWN_CODES)].map((_, place) => {
    const label = document.createElement("label");
    label.textContent = word("code {number}").replace("{number}", place + 1);
    const slider = Object.assign(document.createElement("input"), { type: "range", min: -3, max: 3, step: 0.1 });
    slider.addEventListener("input", () => {
      code[place] = Number(slider.value);
      show();
    });
    label.append(slider);
    section.querySelector(".sliders").append(label);
    return slider;
  });

  function change(value) {
    code.forEach((_, place) => (code[place] = value()));
    sliders.forEach((slider, place) => (slider.value = code[place]));
    show();
  }

  section.querySelector(".draw-code").addEventListener("click", () => change(normal));
  section.querySelector(".zero").addEventListener("click", () => change(() => 0));
  change(normal);
}

// A place in the scores with the probabilities of their softmax at a temperature; never one of the special tokens.
function drawnToken(scores, temperature, specials) {
  const scaled = scores.map((score, token) => (token < specials ? -Infinity : score / temperature));
  const shares = softmax([tensor([1, scaled.length], scaled)], { dim: 1 }).data;
  let left = Math.random();
  for (let token = 0; token < shares.length; token++) {
    left -= shares[token];
    if (left < 0) return token;
  }
  return shares.length - 1;
}

function tryText(section) {
  const { program, text } = data.network;
  const network = makeNetwork(program);
  const length = program.shapes[0][1];
  const numbers = new Map(text.tokens.map((token, place) => [token, place]));
  const [button, prompt, written] = [".continue", ".prompt", ".continued"].map((name) => section.querySelector(name));
  const [temperature, output] = [".temperature", ".shown-temperature"].map((name) => section.querySelector(name));
  let running = false;

  function next(tokens) {
    const context = tokens.slice(-length);
    const input = new Float32Array(length);
    input.set(context);
    const scores = network(input).output; // (1, T, V), of which the position of the last token counts.
    const size = scores.shape[2];
    const last = scores.data.slice((context.length - 1) * size, context.length * size);
    return drawnToken(last, Number(temperature.value), text.specials);
  }

  function stop() {
    running = false;
    button.textContent = word("Continue");
  }

  function write(tokens, left) {
    if (!running || !left) return stop();
    tokens.push(next(tokens));
    written.textContent += text.tokens[tokens.at(-1)];
    setTimeout(() => write(tokens, left - 1));
  }

  button.addEventListener("click", () => {
    if (running) return stop();
    const composed = text.form === "nfc" ? prompt.value.normalize("NFC") : prompt.value;
    const begun = [...((text.lower ? composed.toLowerCase() : composed) || "\n")].map((character) => numbers.get(character) ?? 0);
    written.textContent = prompt.value;
    running = true;
    button.textContent = word("Stop");
    write(begun, LONGEST_TEXT);
  });
  temperature.addEventListener("input", () => (output.textContent = temperature.value));
}

if (data.network) {
  const section = document.getElementById("try").closest("section");
  ({ draw: tryDrawing, code: tryCode, continue: tryText })[data.network.kind](section);
}
