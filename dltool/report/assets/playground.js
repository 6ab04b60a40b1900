// The playground: a multilayer perceptron trained in the page on the run's data. mlp.js computes, plane.js draws.
const RATES = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3];
const DECAYS = [0, 0.0001, 0.001, 0.01, 0.1];
const BATCHES = [1, 4, 8, 16, 32, 64, 128, 256];
const WIDTHS = [1, 2, 3, 4, 6, 8, 12, 16, 32, 64, 128];
const PER_FRAME = 14; // Milliseconds of training between two drawings.
const MAX_HISTORY = 600; // Points of the loss curves.

// The command that trains with the same settings.
function commandOf(start, settings, epochs) {
  const words = [
    `'model.hidden=[${settings.hidden.join(",")}]'`,
    `model.activation=${settings.activation}`,
    `optim=${settings.optimizer}`,
    `optim.lr=${settings.rate}`,
    `optim.weight_decay=${settings.decay}`,
    "schedule=constant",
    `data.batch_size=${settings.batch}`,
    `seed=${settings.seed}`,
  ];
  if (epochs > 0) words.push(`trainer.epochs=${epochs}`);
  return [start, ...words].join(" ");
}

// The samples of a split as arrays.
function arraysOf({ inputs, targets }) {
  return { inputs: Float64Array.from(inputs.flat()), targets: Float64Array.from(targets), width: inputs[0].length };
}

function lossKind(points) {
  if (!points.classes.length) return "mse";
  return points.outputs === 1 ? "binary_cross_entropy" : "cross_entropy";
}

// A training: the network, its optimizer, and where it is in an epoch.
function makeTraining(points, settings) {
  const train = arraysOf(points.points.train);
  const random = makeRandom(settings.seed);
  const mlp = makeMlp([train.width, ...settings.hidden, points.outputs], settings.activation, random);
  const order = Uint32Array.from(train.targets.keys());
  return { mlp, random, train, order, state: makeOptimizer(mlp.values.length), place: 0, epoch: 0, steps: 0 };
}

function shuffle(order, random) {
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
}

// One step on the next batch; true if it ended an epoch.
function nextStep(training, kind, settings) {
  const { train, order } = training;
  if (training.place === 0) shuffle(order, training.random);
  const rows = order.subarray(training.place, training.place + settings.batch);
  const inputs = new Float64Array(rows.length * train.width);
  rows.forEach((row, place) => inputs.set(train.inputs.subarray(row * train.width, (row + 1) * train.width), place * train.width));
  trainStep(training.mlp, training.state, kind, inputs, Float64Array.from(rows, (row) => train.targets[row]), settings);
  training.steps++;
  training.place += settings.batch;
  if (training.place < order.length) return false;
  training.place = 0;
  training.epoch++;
  return true;
}

// Loss and accuracy over a whole split; the accuracy is null for numbers.
function evaluated(mlp, kind, { inputs, targets }) {
  const { outputs } = forward(mlp, inputs);
  const { loss } = lossOf(kind, outputs, targets);
  if (kind === "mse") return { loss, accuracy: null };
  const width = outputs.length / targets.length;
  const right = targets.filter((target, row) => classOf(outputs.subarray(row * width, (row + 1) * width)) === target);
  return { loss, accuracy: right.length / targets.length };
}

function classOf(outputs) {
  return outputs.length === 1 ? Number(outputs[0] > 0) : outputs.indexOf(Math.max(...outputs));
}

function fill(select, values, chosen) {
  const all = values.includes(chosen) ? values : [...values, chosen];
  if (all.every((value) => typeof value === "number")) all.sort((a, b) => a - b);
  select.replaceChildren(...all.map((value) => new Option(String(value), String(value), false, value === chosen)));
}

// The controls of the settings; `changed(isNew)` is called with whether the network must begin again.
function makeSettings(section, { settings, choices }, changed) {
  const field = (name) => section.querySelector(`[name=${name}]`);
  const widths = section.querySelector(".widths");

  function showWidths() {
    const made = settings.hidden.map((width, place) => {
      const label = document.createElement("label");
      const select = document.createElement("select");
      fill(select, WIDTHS, width);
      select.addEventListener("change", () => {
        settings.hidden[place] = Number(select.value);
        changed(true);
      });
      label.append(word("width {number}").replace("{number}", place + 1), " ", select);
      return label;
    });
    widths.replaceChildren(...made);
  }

  const values = { optimizer: choices.optimizer, activation: choices.activation, rate: RATES, decay: DECAYS, batch: BATCHES };
  for (const [name, offered] of Object.entries(values)) {
    fill(field(name), offered, settings[name]);
    field(name).addEventListener("change", () => {
      settings[name] = typeof offered[0] === "number" ? Number(field(name).value) : field(name).value;
      changed(name === "activation", name === "optimizer");
    });
  }
  fill(field("layers"), Array.from({ length: choices.layers + 1 }, (_, number) => number), settings.hidden.length);
  field("layers").addEventListener("change", () => {
    const count = Number(field("layers").value);
    settings.hidden = Array.from({ length: count }, (_, place) => settings.hidden[place] ?? settings.hidden.at(-1) ?? 8);
    showWidths();
    changed(true);
  });
  field("seed").value = settings.seed;
  field("seed").addEventListener("change", () => {
    settings.seed = Math.max(0, Math.floor(Number(field("seed").value) || 0));
    field("seed").value = settings.seed;
    changed(true);
  });
  showWidths();
}

function lossPlot(place, splits) {
  const grid = { stroke: textColour("--line"), width: 1 };
  const axis = { stroke: textColour("--text"), grid, ticks: grid };
  const series = splits.map((split, number) => ({ label: word(split), stroke: coloursOf()[number], dash: DASHES[number], width: 2, points: { show: false } }));
  place.replaceChildren();
  return new uPlot(
    {
      width: place.clientWidth || 400,
      height: 300,
      scales: { x: { time: false } },
      axes: [{ ...axis, label: word("epoch"), labelSize: 22, size: 36, incrs: WHOLE }, { ...axis, size: 64, label: word("loss"), labelSize: 20, values: (_, ticks) => ticks.map(shown) }],
      series: [{ label: word("epoch") }, ...series],
      legend: { live: false },
      cursor: { show: false },
    },
    [[], ...splits.map(() => [])],
    place,
  );
}

function startPlayground(section) {
  const { points, settings, command } = data.playground;
  const kind = lossKind(points);
  const splits = Object.fromEntries(Object.entries(points.points).map(([name, split]) => [name, arraysOf(split)]));
  const names = Object.keys(splits);
  const [run, progress, code] = [".run", ".progress", ".command code"].map((name) => section.querySelector(name));
  const canvas = section.querySelector(".plane");
  canvas.width = Math.min(canvas.width, section.clientWidth || canvas.width);
  canvas.height = 0.9 * canvas.width;
  const plane = makePlane(canvas, points);
  let [training, plot, history, timer, duration, drawn] = [null, null, [], 0, 0, 0];

  function record() {
    const found = names.map((name) => evaluated(training.mlp, kind, splits[name]));
    history.push([training.steps / Math.ceil(training.order.length / settings.batch), ...found.map((one) => one.loss)]);
    if (history.length > MAX_HISTORY) history = history.filter((_, place) => place % 2 === 0 || place === history.length - 1);
    return found;
  }

  function show(found) {
    const start = performance.now();
    drawPlane(plane, points, training.mlp);
    plot.setData([0, ...names.map((_, place) => place + 1)].map((column) => history.map((row) => row[column])));
    const texts = names.flatMap((name, place) => [
      `${word(name)}: ${word("loss")} ${shown(found[place].loss)}`,
      ...(found[place].accuracy === null ? [] : [`${word("accuracy")} ${(100 * found[place].accuracy).toFixed(1)} %`]),
    ]);
    progress.textContent = [`${word("epoch")} ${training.epoch}, ${word("step")} ${training.steps}`, ...texts].join("; ");
    canvas.setAttribute("aria-label", `${word("Prediction and samples")}: ${progress.textContent}`);
    showCommand();
    [duration, drawn] = [performance.now() - start, performance.now()];
    if (!found.every((one) => Number.isFinite(one.loss))) {
      pause();
      progress.textContent += ` ${word("The loss is not finite: a smaller learning rate helps.")}`;
    }
  }

  function showCommand() {
    code.textContent = commandOf(command, settings, training.epoch + (training.place > 0 ? 1 : 0));
  }

  function pause() {
    cancelAnimationFrame(timer);
    timer = 0;
    run.textContent = word("Train");
    run.setAttribute("aria-pressed", "false");
    progress.setAttribute("aria-live", "polite");
  }

  function reset() {
    training = makeTraining(points, settings);
    history = [];
    show(record());
  }

  // At most an epoch between two drawings, so that quick networks can be watched.
  function frame() {
    const end = performance.now() + PER_FRAME;
    let ended = false;
    while (!ended && performance.now() < end) ended = nextStep(training, kind, settings);
    timer = requestAnimationFrame(frame);
    if (ended && performance.now() - drawn > 2 * duration) show(record());
  }

  run.addEventListener("click", () => {
    if (timer) {
      pause();
      return show(record());
    }
    run.textContent = word("Pause");
    run.setAttribute("aria-pressed", "true");
    progress.setAttribute("aria-live", "off"); // It changes many times a second.
    timer = requestAnimationFrame(frame);
  });
  section.querySelector(".step").addEventListener("click", () => {
    pause();
    nextStep(training, kind, settings);
    show(record());
  });
  section.querySelector(".reset").addEventListener("click", () => {
    pause();
    reset();
  });
  makeSettings(section, data.playground, (isNew, isOtherOptimizer) => {
    if (isOtherOptimizer) training.state = makeOptimizer(training.mlp.values.length);
    if (isNew) reset();
    else showCommand();
  });

  function layOut() {
    plot = lossPlot(section.querySelector(".losses"), names);
    if (training) show(record());
  }

  makeLegend(section.querySelector(".legend"), points);
  layOut();
  reset();
  addEventListener("resize", () => plot.setSize({ width: section.querySelector(".losses").clientWidth || 400, height: 300 }));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", layOut);
}

if (data.playground) startPlayground(document.querySelector(".playground"));
