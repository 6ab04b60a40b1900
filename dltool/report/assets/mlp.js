// A multilayer perceptron as dltool's model=mlp: forward, backward, loss, optimizers. Numbers are 64-bit floats.
// The parameters are one array; a layer knows where its weights (outputs × inputs) and its bias begin in it.
const SCALED = [1.7159, 2 / 3]; // Of scaled_tanh, LeCun et al. 1998.
const NORMAL = Math.sqrt(2 * Math.PI);
const normalShare = (z) => (1 + erf(z / Math.SQRT2)) / 2;

// Of each activation the value a at z, and the slope there.
const ACTIVATIONS = {
  identity: [(z) => z, () => 1],
  relu: [(z) => Math.max(z, 0), (z) => (z > 0 ? 1 : 0)],
  leaky_relu: [(z) => (z > 0 ? z : 0.01 * z), (z) => (z > 0 ? 1 : 0.01)],
  elu: [(z) => (z > 0 ? z : Math.expm1(z)), (z, a) => (z > 0 ? 1 : a + 1)],
  gelu: [(z) => z * normalShare(z), (z) => normalShare(z) + (z * Math.exp((-z * z) / 2)) / NORMAL],
  silu: [(z) => z * sigmoid(z), (z, a) => sigmoid(z) + a * (1 - sigmoid(z))],
  tanh: [Math.tanh, (z, a) => 1 - a * a],
  scaled_tanh: [(z) => SCALED[0] * Math.tanh(SCALED[1] * z), (z, a) => (SCALED[1] * (SCALED[0] ** 2 - a * a)) / SCALED[0]],
  sigmoid: [sigmoid, (z, a) => a * (1 - a)],
};

// Random numbers in 0 … 1 from a seed (mulberry32, by Tommy Ettinger, public domain).
function makeRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

// Weights and biases are uniform in ±1/√inputs, as torch's.
function makeMlp(widths, activation, random) {
  const layers = [];
  let size = 0;
  for (let i = 1; i < widths.length; i++) {
    const [inputs, outputs] = [widths[i - 1], widths[i]];
    layers.push({ inputs, outputs, weight: size, bias: size + inputs * outputs });
    size += (inputs + 1) * outputs;
  }
  const values = new Float64Array(size);
  for (const { inputs, outputs, weight } of layers) {
    const bound = 1 / Math.sqrt(inputs);
    for (let i = weight; i < weight + (inputs + 1) * outputs; i++) values[i] = bound * (2 * random() - 1);
  }
  return { layers, activation, values };
}

// The input of each layer and the sums z that it computes, for rows of inputs; the last sums are the outputs.
function forward(mlp, inputs) {
  const [f] = ACTIVATIONS[mlp.activation];
  const passed = { inputs: [], sums: [] };
  let a = inputs;
  mlp.layers.forEach((layer, place) => {
    const z = sumsOf(layer, mlp.values, a);
    passed.inputs.push(a);
    passed.sums.push(z);
    if (place < mlp.layers.length - 1) a = z.map(f);
  });
  return { ...passed, outputs: passed.sums.at(-1) };
}

function sumsOf({ inputs, outputs, weight, bias }, values, a) {
  const rows = a.length / inputs;
  const z = new Float64Array(rows * outputs);
  for (let row = 0; row < rows; row++) {
    for (let o = 0; o < outputs; o++) {
      let sum = values[bias + o];
      for (let i = 0; i < inputs; i++) sum += values[weight + o * inputs + i] * a[row * inputs + i];
      z[row * outputs + o] = sum;
    }
  }
  return z;
}

// The gradient of the loss by every parameter, from that by the outputs.
function backward(mlp, passed, slopes) {
  const gradient = new Float64Array(mlp.values.length);
  const [, slopeOf] = ACTIVATIONS[mlp.activation];
  let delta = slopes;
  for (let place = mlp.layers.length - 1; place >= 0; place--) {
    const layer = mlp.layers[place];
    const before = throughLayer(layer, mlp.values, passed.inputs[place], delta, gradient);
    const [z, a] = [passed.sums[place - 1], passed.inputs[place]];
    if (place > 0) delta = before.map((value, i) => value * slopeOf(z[i], a[i]));
  }
  return gradient;
}

// Adds the gradient of one layer to `gradient`, and returns that by its inputs.
function throughLayer({ inputs, outputs, weight, bias }, values, a, delta, gradient) {
  const before = new Float64Array(a.length);
  for (let row = 0; row < a.length / inputs; row++) {
    for (let o = 0; o < outputs; o++) {
      const d = delta[row * outputs + o];
      gradient[bias + o] += d;
      for (let i = 0; i < inputs; i++) {
        gradient[weight + o * inputs + i] += d * a[row * inputs + i];
        before[row * inputs + i] += d * values[weight + o * inputs + i];
      }
    }
  }
  return before;
}

// Of each loss, for one row of outputs and its target: the loss, and its slope by each output.
const LOSSES = {
  cross_entropy: (outputs, target) => {
    const largest = Math.max(...outputs);
    const powers = outputs.map((z) => Math.exp(z - largest));
    const sum = powers.reduce((a, b) => a + b);
    return [Math.log(sum) + largest - outputs[target], powers.map((p, k) => p / sum - (k === target ? 1 : 0))];
  },
  binary_cross_entropy: ([z], target) => [Math.max(z, 0) - z * target + Math.log1p(Math.exp(-Math.abs(z))), [sigmoid(z) - target]],
  mse: ([z], target) => [(z - target) ** 2, [2 * (z - target)]],
};

// The mean loss over the rows, and its slopes by the outputs.
function lossOf(kind, outputs, targets) {
  const width = outputs.length / targets.length;
  const slopes = new Float64Array(outputs.length);
  let total = 0;
  targets.forEach((target, row) => {
    const [loss, slope] = LOSSES[kind](outputs.subarray(row * width, (row + 1) * width), target);
    total += loss;
    for (let k = 0; k < width; k++) slopes[row * width + k] = slope[k] / targets.length;
  });
  return { loss: total / targets.length, slopes };
}

// An optimizer as torch's; `update` changes the parameters in place.
function makeOptimizer(size) {
  return { steps: 0, first: new Float64Array(size), second: new Float64Array(size) };
}

const OPTIMIZERS = {
  sgd: (state, i, g) => g,
  momentum: (state, i, g) => (state.first[i] = 0.9 * state.first[i] + g),
  adam: (state, i, g) => {
    state.first[i] = 0.9 * state.first[i] + 0.1 * g;
    state.second[i] = 0.999 * state.second[i] + 0.001 * g * g;
    const [mean, square] = [state.first[i] / (1 - 0.9 ** state.steps), state.second[i] / (1 - 0.999 ** state.steps)];
    return mean / (Math.sqrt(square) + 1e-8);
  },
};

function update(state, values, gradient, { optimizer, rate, decay }) {
  state.steps++;
  const direction = OPTIMIZERS[optimizer];
  for (let i = 0; i < values.length; i++) values[i] -= rate * direction(state, i, gradient[i] + decay * values[i]);
}

// One step on some rows; returns the loss before it.
function trainStep(mlp, state, kind, inputs, targets, settings) {
  const passed = forward(mlp, inputs);
  const { loss, slopes } = lossOf(kind, passed.outputs, targets);
  update(state, mlp.values, backward(mlp, passed, slopes), settings);
  return loss;
}
