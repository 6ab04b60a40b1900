// "Try it": a drawing and what the run's network makes of it, or a code and the image that it becomes.
const PEN = 20; // Width of the pen on the canvas of 280 pixels.
const SHOWN_MAPS = 8;
const SHOWN_CODES = 8;
const LONGEST_TEXT = 400; // Characters.

function probabilities(scores) {
  if (scores.length === 1) {
    const p = sigmoid(scores[0]);
    return [1 - p, p];
  }
  return [...softmax([tensor([1, scores.length], Float32Array.from(scores))], { dim: 1 }).data];
}

// Red, green and blue for values from 0 to 1 in 256 steps.
const SCALE = Array.from({ length: 256 }, (_, step) => {
  const place = (step / 255) * (VIRIDIS.length - 1);
  const [low, high] = [VIRIDIS[Math.floor(place)], VIRIDIS[Math.ceil(place)]];
  const part = place - Math.floor(place);
  return [1, 3, 5].map((at) => {
    const [a, b] = [low, high].map((one) => parseInt(one.slice(at, at + 2), 16));
    return a + (b - a) * part;
  });
});

// Draws numbers on a canvas of their own size; toColour gives red, green and blue for a place.
function paint(canvas, height, width, toColour) {
  if (canvas.width !== width) canvas.width = width; // Setting a size clears the canvas, and takes time.
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d");
  const picture = context.createImageData(width, height);
  const pixels = picture.data;
  for (let i = 0; i < height * width; i++) {
    const [red, green, blue] = toColour(i);
    pixels[4 * i] = red;
    pixels[4 * i + 1] = green;
    pixels[4 * i + 2] = blue;
    pixels[4 * i + 3] = 255;
  }
  context.putImageData(picture, 0, 0);
}

// Draws the maps of each convolution in a line of its own; the canvases of the last drawing are used again.
function showMaps(place, { tensors }) {
  for (const [row, number] of data.network.maps.entries()) {
    const { shape, data: values } = tensors.get(number);
    const [, channels, height, width] = shape;
    const line = place.children[row] ?? place.appendChild(document.createElement("div"));
    for (let c = 0; c < Math.min(channels, SHOWN_MAPS); c++) {
      const own = values.subarray(c * height * width, (c + 1) * height * width);
      const [low, high] = [Math.min(...own), Math.max(...own)];
      const canvas = line.children[c] ?? line.appendChild(document.createElement("canvas"));
      const factor = 255 / (high - low || 1);
      paint(canvas, height, width, (i) => SCALE[Math.round((own[i] - low) * factor)]);
    }
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

// Shows the probabilities of the classes; null for no answer. Outputs that are no logits have none, and no bars.
function makeAnswer(section) {
  const bars = data.network.scores === false ? [] : makeBars(section.querySelector(".bars tbody"), data.network.classes);
  return (shares) => {
    bars.forEach((bar, place) => {
      bar.filled.setAttribute("width", shares ? 100 * shares[place] : 0);
      bar.text.textContent = shares ? `${(100 * shares[place]).toFixed(1)} %` : "";
    });
    section.querySelector(".prediction").textContent = shares ? data.network.classes[shares.indexOf(Math.max(...shares))] : "–";
  };
}

function tryDrawing(section) {
  const canvas = section.querySelector(".drawing");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const network = makeNetwork(data.network.program);
  const show = makeAnswer(section);
  const pen = { x: canvas.width / 2, y: canvas.height / 2, down: false };
  Object.assign(context, { lineWidth: PEN, lineCap: "round", lineJoin: "round", strokeStyle: textColour("--text") });

  function line(x, y) {
    context.beginPath();
    context.moveTo(pen.x, pen.y);
    context.lineTo(x, y);
    context.stroke();
    [pen.x, pen.y] = [x, y];
  }

  let isPicture = false; // On the canvas, in place of a drawing.

  function answer(input = inputOf(canvas, data.network.image)) {
    const told = input ? network(input) : null;
    show(told && probabilities(told.output.data));
    if (told) showMaps(section.querySelector(".maps"), told);
    else section.querySelector(".maps").replaceChildren();
  }

  function clear() {
    context.clearRect(0, 0, canvas.width, canvas.height);
    isPicture = false;
    answer();
  }

  async function showPicture(file) {
    const bitmap = await createImageBitmap(file).catch(() => null);
    clear();
    if (!bitmap) return;
    isPicture = true;
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    answer(inputOfPicture(bitmap, data.network.image));
  }

  function placeOf(event) {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) * canvas.width) / box.width, ((event.clientY - box.top) * canvas.height) / box.height];
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (isPicture) clear();
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
    if (isPicture && moves[event.key]) clear();
    if (pen.down) line(x, y);
    else [pen.x, pen.y] = [x, y];
    if (!isPicture) answer();
  });
  section.querySelector(".clear").addEventListener("click", clear);
  section.querySelector(".own")?.addEventListener("change", (event) => showPicture(event.target.files[0]));
  clear();
}

// A row of a table: numbers are scaled, categories become an input each.
function tryRow(section) {
  const { program, row, target } = data.network;
  const network = makeNetwork(program);
  const show = makeAnswer(section);
  const fields = [...section.querySelectorAll(".row input, .row select")];

  function inputsOf({ categories, shift, factor }, field) {
    if (categories) return categories.map((_, place) => Number(place === field.selectedIndex));
    const value = field.value === "" ? shift : Number(field.value);
    return [(value - shift) * factor];
  }

  function answer() {
    const outputs = network(row.flatMap((column, place) => inputsOf(column, fields[place]))).output.data;
    if (!target) return show([...outputs]);
    section.querySelector(".prediction").textContent = shown(outputs[0] * target.factor[0] + target.shift[0]);
  }

  section.querySelector(".row").addEventListener("input", answer);
  answer();
}

function normal() {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}

// Draws the values of an image on a canvas, in the pixels of the data.
function paintImage(canvas, values, [height, width]) {
  const { image } = data.network;
  const area = height * width;
  const pixel = (i, c) => values[c * area + i] / image.factor[c] + image.shift[c];
  paint(canvas, height, width, (i) => [0, 1, 2].map((c) => pixel(i, image.channels === 3 ? c : 0)));
}

function tryCode(section) {
  const network = makeNetwork(data.network.program);
  const size = data.network.program.shapes[0].at(-1);
  const code = new Float32Array(size);
  const [canvas, label] = [".made", ".class"].map((name) => section.querySelector(name));
  const { uniform } = data.network;
  const [draw, limit] = uniform ? [() => 2 * Math.random() - 1, 1] : [normal, 3];

  function show() {
    const { shape, data: values } = network(code, ...(label ? [[label.selectedIndex]] : [])).output;
    paintImage(canvas, values, shape.slice(-2));
  }

  const sliders = [...code.subarray(0, SHOWN_CODES)].map((_, place) => {
    const holder = document.createElement("label");
    holder.textContent = word("code {number}").replace("{number}", place + 1);
    const slider = Object.assign(document.createElement("input"), { type: "range", min: -limit, max: limit, step: limit / 30 });
    slider.addEventListener("input", () => {
      code[place] = Number(slider.value);
      show();
    });
    holder.append(slider);
    section.querySelector(".sliders").append(holder);
    return slider;
  });

  function change(value) {
    code.forEach((_, place) => (code[place] = value()));
    sliders.forEach((slider, place) => (slider.value = code[place]));
    show();
  }

  section.querySelector(".draw-code").addEventListener("click", () => change(draw));
  section.querySelector(".zero").addEventListener("click", () => change(() => 0));
  label?.addEventListener("change", show);
  change(draw);
}

// The image without noise that a network predicts; of guidance, with and without the class.
function withoutNoise(network, x, step, labels, { prediction, guidance, range }) {
  const outputs = labels.map((label) => network(x, [step.time], ...label).output.data);
  const [low, high] = range ?? [-Infinity, Infinity];
  return x.map((value, i) => {
    const output = guidance ? (1 + guidance) * outputs[0][i] - guidance * outputs[1][i] : outputs[0][i];
    const found = {
      epsilon: (value - step.noise * output) / step.signal,
      x: output,
      v: step.signal * value - step.noise * output,
    }[prediction];
    return Math.min(Math.max(found, low), high);
  });
}

// One step of the sampler: see dltool.tasks.diffusion.DiffusionTask.stages.
function nextImage(network, x, step, labels, sampler) {
  const clean = withoutNoise(network, x, step, labels, sampler);
  return x.map((value, i) => {
    const epsilon = (value - step.signal * clean[i]) / step.noise;
    return step.next_signal * clean[i] + step.towards * epsilon + (step.sigma && step.sigma * normal());
  });
}

function tryNoise(section) {
  const { program, sampler, classes } = data.network;
  const network = makeNetwork(program);
  const [canvas, label, output] = [".made", ".class", ".stage"].map((name) => section.querySelector(name));
  const shape = program.shapes[0];
  let newest = 0; // The number of the sample, so that a new one ends the last.

  function advance(x, place, labels, number) {
    if (number !== newest) return;
    paintImage(canvas, x, shape.slice(-2));
    output.textContent = `${place} / ${sampler.steps.length}`;
    if (place < sampler.steps.length) {
      const next = nextImage(network, x, sampler.steps[place], labels, sampler);
      setTimeout(() => advance(next, place + 1, labels, number), 0);
    }
  }

  function start() {
    const noise = Float32Array.from({ length: sizeOf(shape) }, normal);
    const labels = label ? [[[label.selectedIndex]], [[classes.length]]] : [[]];
    advance(noise, 0, sampler.guidance ? labels : labels.slice(0, 1), ++newest);
  }

  section.querySelector(".draw-code").addEventListener("click", start);
  label?.addEventListener("change", start);
  start();
}

// Both directions: a button for each image of a domain shows it, its translation, and that translated back.
function tryTranslation(section) {
  const { programs, images, image } = data.network;
  const [height, width] = image.size;
  const area = height * width;
  const directions = Object.keys(programs);
  const networks = directions.map((direction) => makeNetwork(programs[direction]));
  const canvases = [".given", ".made", ".back"].map((name) => section.querySelector(name));

  function show(values, way) {
    const translated = networks[way](values).output.data;
    const back = networks[1 - way](translated).output.data;
    [values, translated, back].forEach((one, place) => paintImage(canvases[place], one, image.size));
  }

  directions.forEach((direction, way) => {
    const pixels = new Uint8Array(decode(images[direction]));
    const size = area * image.channels;
    for (let start = 0; start < pixels.length; start += size) {
      const values = Float32Array.from(pixels.subarray(start, start + size), (value) => value / 127.5 - 1);
      const button = Object.assign(document.createElement("button"), { type: "button" });
      button.setAttribute("aria-label", `${direction.replace("2", " → ")}, ${start / size + 1}`);
      paintImage(button.appendChild(document.createElement("canvas")), values, image.size);
      button.addEventListener("click", () => show(values, way));
      section.querySelector(`.choices.way-${way}`).append(button);
    }
  });
  section.querySelector(".choices button").click();
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
  ({ draw: tryDrawing, row: tryRow, code: tryCode, denoise: tryNoise, translate: tryTranslation, continue: tryText })[data.network.kind](section);
}
