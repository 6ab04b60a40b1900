// The forward pass of a recorded network: a function for each operation of dltool/introspection/forward_operations.py.
// A tensor is { shape, data } with data a Float32Array in row-major order.
"use strict";
const sizeOf = (shape) => shape.reduce((size, one) => size * one, 1);
const tensor = (shape, values) => ({ shape, data: values ?? new Float32Array(sizeOf(shape)) });

function stridesOf(shape) {
  const strides = new Array(shape.length);
  for (let dim = shape.length - 1, step = 1; dim >= 0; dim--) {
    strides[dim] = step;
    step *= shape[dim];
  }
  return strides;
}

function map(x, f) {
  const y = tensor(x.shape);
  for (let i = 0; i < y.data.length; i++) y.data[i] = f(x.data[i]);
  return y;
}

// Strides with which a tensor is read as one of a larger shape: 0 along the dimensions in which it is repeated.
function broadcastStrides(shape, target) {
  const own = stridesOf(shape);
  const missing = target.length - shape.length;
  return target.map((_, dim) => (dim < missing || shape[dim - missing] === 1 ? 0 : own[dim - missing]));
}

// Calls visit(place in the result, place in the source) for each element of a shape, read with the given strides.
function walk(shape, strides, start, visit) {
  const outer = shape.slice(0, -1);
  const index = new Array(outer.length).fill(0);
  const count = sizeOf(outer);
  const size = shape.at(-1) ?? 1;
  const stride = strides.at(-1) ?? 0;
  for (let line = 0, to = 0, from = start; line < count; line++) {
    for (let i = 0, at = from; i < size; i++, at += stride) visit(to++, at);
    for (let dim = outer.length - 1; dim >= 0; dim--) {
      from += strides[dim];
      if (++index[dim] < shape[dim]) break;
      from -= strides[dim] * shape[dim];
      index[dim] = 0;
    }
  }
}

function gather(x, shape, strides, start = 0) {
  const y = tensor(shape);
  walk(shape, strides, start, (to, from) => (y.data[to] = x.data[from]));
  return y;
}

function combined(a, b) {
  const rank = Math.max(a.length, b.length);
  const at = (shape, dim) => shape[dim - rank + shape.length] ?? 1;
  return Array.from({ length: rank }, (_, dim) => (at(a, dim) === 1 ? at(b, dim) : at(a, dim)));
}

// The numbers of a tensor, repeated where it is smaller than the shape.
function repeated(x, shape) {
  return x.data.length === sizeOf(shape) ? x.data : gather(x, shape, broadcastStrides(x.shape, shape)).data;
}

function elementwise(f) {
  return ([a, b]) => {
    const y = tensor(combined(a.shape, b.shape));
    const [left, right] = [a, b].map((one) => repeated(one, y.shape));
    for (let i = 0; i < left.length; i++) y.data[i] = f(left[i], right[i]);
    return y;
  };
}

// The places of a shape's elements, read with the given strides.
function placesOf(shape, strides) {
  const places = new Int32Array(sizeOf(shape));
  walk(shape, strides, 0, (to, from) => (places[to] = from));
  return places;
}

// y[row · steps[0] + o · steps[1]] = bias[o] + Σ x[starts[row] + offsets[i]] · weight[o, i], in blocks of two rows and
// four outputs, so that a number that is read is in several products. Past the end the last row or output is repeated.
function products(x, starts, offsets, weight, bias, y, steps) {
  const size = offsets.length;
  const rows = starts.length;
  const outputs = weight.length / size;
  for (let o = 0; o < outputs; o += 4) {
    const o1 = Math.min(o + 1, outputs - 1);
    const o2 = Math.min(o + 2, outputs - 1);
    const o3 = Math.min(o + 3, outputs - 1);
    for (let row = 0; row < rows; row += 2) {
      const next = Math.min(row + 1, rows - 1);
      const p = starts[row];
      const q = starts[next];
      let p0 = bias ? bias[o] : 0;
      let p1 = bias ? bias[o1] : 0;
      let p2 = bias ? bias[o2] : 0;
      let p3 = bias ? bias[o3] : 0;
      let [q0, q1, q2, q3] = [p0, p1, p2, p3];
      for (let i = 0, w0 = o * size, w1 = o1 * size, w2 = o2 * size, w3 = o3 * size; i < size; i++) {
        const a = x[p + offsets[i]];
        const b = x[q + offsets[i]];
        const f0 = weight[w0++];
        const f1 = weight[w1++];
        const f2 = weight[w2++];
        const f3 = weight[w3++];
        p0 += a * f0;
        p1 += a * f1;
        p2 += a * f2;
        p3 += a * f3;
        q0 += b * f0;
        q1 += b * f1;
        q2 += b * f2;
        q3 += b * f3;
      }
      const to = row * steps[0];
      const below = next * steps[0];
      y[to + o * steps[1]] = p0;
      y[to + o1 * steps[1]] = p1;
      y[to + o2 * steps[1]] = p2;
      y[to + o3 * steps[1]] = p3;
      y[below + o * steps[1]] = q0;
      y[below + o1 * steps[1]] = q1;
      y[below + o2 * steps[1]] = q2;
      y[below + o3 * steps[1]] = q3;
    }
  }
}

// (…, N, I) times (O, I) transposed.
function linear([x, weight, bias]) {
  const [outputs, inputs] = weight.shape;
  const y = tensor([...x.shape.slice(0, -1), outputs]);
  const starts = placesOf([x.data.length / inputs], [inputs]);
  products(x.data, starts, placesOf([inputs], [1]), weight.data, bias?.data, y.data, [outputs, 1]);
  return y;
}

function matmul([a, b]) {
  const [n, k, m] = [a.shape.at(-2), a.shape.at(-1), b.shape.at(-1)];
  const batch = combined(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const x = gather(a, [...batch, n, k], broadcastStrides(a.shape, [...batch, n, k]));
  const y = gather(b, [...batch, k, m], broadcastStrides(b.shape, [...batch, k, m]));
  const z = tensor([...batch, n, m]);
  for (let one = 0; one < sizeOf(batch); one++) {
    for (let row = 0; row < n; row++) {
      for (let inner = 0; inner < k; inner++) {
        const factor = x.data[(one * n + row) * k + inner];
        for (let c = 0; c < m; c++) z.data[(one * n + row) * m + c] += factor * y.data[(one * k + inner) * m + c];
      }
    }
  }
  return z;
}

// A product of the weights and the windows, which are read in place from the image with its zeros around it.
function conv2d([x, weight, bias], { stride, padding, dilation, groups }) {
  const around = [0, 0, ...padding];
  const source = pad([x], { before: around, after: around, value: 0 });
  const [batch, channels, height, width] = source.shape;
  const [outputs, depth, kernelHeight, kernelWidth] = weight.shape;
  const rows = Math.floor((height - dilation[0] * (kernelHeight - 1) - 1) / stride[0]) + 1;
  const columns = Math.floor((width - dilation[1] * (kernelWidth - 1) - 1) / stride[1]) + 1;
  const starts = placesOf([rows, columns], [stride[0] * width, stride[1]]);
  const window = placesOf([depth, kernelHeight, kernelWidth], [height * width, dilation[0] * width, dilation[1]]);
  const y = tensor([batch, outputs, rows, columns]);
  const part = (data, place, size) => data.subarray(place * size, (place + 1) * size);
  const own = outputs / groups;
  for (let one = 0; one < batch * groups; one++) {
    const group = one % groups;
    products(
      part(source.data, one, depth * height * width), starts, window, part(weight.data, group, own * window.length),
      bias && part(bias.data, group, own), part(y.data, one, own * starts.length), [1, starts.length],
    );
  }
  return y;
}

// The convolution that it is the transpose of: zeros between the numbers and around them, the kernel turned round.
function convTranspose2d([x, weight, bias], { stride, padding, extra, groups = 1 }) {
  const [channels, own, kernelHeight, kernelWidth] = weight.shape; // Each channel leads to those of its group.
  const depth = channels / groups;
  const area = kernelHeight * kernelWidth;
  const strides = [depth * own * area, area, own * area, -kernelWidth, -1];
  const turned = gather(weight, [groups, own, depth, kernelHeight, kernelWidth], strides, area - 1);
  const before = [0, 0, kernelHeight - 1 - padding[0], kernelWidth - 1 - padding[1]];
  const after = before.map((size, dim) => size + (dim < 2 ? 0 : extra[dim - 2]));
  const spread = pad([x], { before, after, value: 0, steps: [1, 1, ...stride] });
  const kernel = tensor([own * groups, depth, kernelHeight, kernelWidth], turned.data);
  return conv2d([spread, kernel, bias], { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups });
}

// Over windows of each map; combine(sum so far, value).
function pool([x], { kernel, stride, padding = [0, 0] }, start, combine, finish) {
  const [batch, channels, height, width] = x.shape;
  const rows = Math.floor((height + 2 * padding[0] - kernel[0]) / stride[0]) + 1;
  const columns = Math.floor((width + 2 * padding[1] - kernel[1]) / stride[1]) + 1;
  const y = tensor([batch, channels, rows, columns]);
  let to = 0;
  for (let map = 0; map < batch * channels; map++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        let value = start;
        for (let ky = 0; ky < kernel[0]; ky++) {
          const line = row * stride[0] + ky - padding[0];
          if (line < 0 || line >= height) continue;
          for (let kx = 0; kx < kernel[1]; kx++) {
            const at = column * stride[1] + kx - padding[1];
            if (at >= 0 && at < width) value = combine(value, x.data[(map * height + line) * width + at]);
          }
        }
        y.data[to++] = finish(value);
      }
    }
  }
  return y;
}

function mean([x], { dims, keep }) {
  const kept = x.shape.map((size, dim) => (dims.includes(dim) ? 1 : size));
  const y = tensor(kept);
  const strides = broadcastStrides(kept, x.shape);
  walk(x.shape, strides, 0, (from, to) => (y.data[to] += x.data[from]));
  const count = x.data.length / y.data.length;
  for (let i = 0; i < y.data.length; i++) y.data[i] /= count;
  return keep ? y : tensor(x.shape.filter((_, dim) => !dims.includes(dim)), y.data);
}

// Each map times the factor of its channel, plus its shift.
function scaledMaps(x, factors, shifts) {
  const inner = sizeOf(x.shape.slice(2));
  const y = tensor(x.shape);
  for (let map = 0, at = 0; at < x.data.length; map++) {
    const factor = factors[map % x.shape[1]];
    const shift = shifts[map % x.shape[1]];
    for (const end = at + inner; at < end; at++) y.data[at] = x.data[at] * factor + shift;
  }
  return y;
}

function batchNorm([x, average, variance, weight, bias], { eps }) {
  const factors = Array.from(variance.data, (value, c) => (weight ? weight.data[c] : 1) / Math.sqrt(value + eps));
  return scaledMaps(x, factors, factors.map((factor, c) => (bias ? bias.data[c] : 0) - average.data[c] * factor));
}

function groupNorm([x, weight, bias], { groups, eps }) {
  const rows = x.shape[0] * groups;
  const y = tensor(x.shape, layerNorm([tensor([rows, x.data.length / rows], x.data)], { count: 1, eps }).data);
  return weight ? scaledMaps(y, weight.data, bias?.data ?? new Float32Array(weight.data.length)) : y;
}

function layerNorm([x, weight, bias], { count, eps }) {
  const size = sizeOf(x.shape.slice(-count));
  const y = tensor(x.shape);
  for (let start = 0; start < x.data.length; start += size) {
    let sum = 0;
    for (let i = 0; i < size; i++) sum += x.data[start + i];
    const average = sum / size;
    let squares = 0;
    for (let i = 0; i < size; i++) squares += (x.data[start + i] - average) ** 2;
    const factor = 1 / Math.sqrt(squares / size + eps);
    for (let i = 0; i < size; i++) {
      const scaled = (x.data[start + i] - average) * factor;
      y.data[start + i] = scaled * (weight ? weight.data[i] : 1) + (bias ? bias.data[i] : 0);
    }
  }
  return y;
}

function softmax([x], { dim }) {
  const [outer, size, inner] = [x.shape.slice(0, dim), [x.shape[dim]], x.shape.slice(dim + 1)].map(sizeOf);
  const y = tensor(x.shape);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const at = (k) => (o * size + k) * inner + i;
      let largest = -Infinity;
      for (let k = 0; k < size; k++) largest = Math.max(largest, x.data[at(k)]);
      let sum = 0;
      for (let k = 0; k < size; k++) sum += y.data[at(k)] = Math.exp(x.data[at(k)] - largest);
      for (let k = 0; k < size; k++) y.data[at(k)] /= sum;
    }
  }
  return y;
}

// softmax(q·k · scale + mask) v, over the last two dimensions (T, D).
function attention([q, k, v, mask], { causal, scale }) {
  const turned = permute([k], { dims: [...k.shape.keys()].slice(0, -2).concat(k.shape.length - 1, k.shape.length - 2) });
  let scores = map(matmul([q, turned]), (value) => value * scale);
  if (mask) scores = operations.add([scores, mask]);
  if (causal) {
    const [rows, columns] = scores.shape.slice(-2);
    for (let i = 0; i < scores.data.length; i++) {
      if (i % columns > Math.floor(i / columns) % rows) scores.data[i] = -Infinity;
    }
  }
  return matmul([softmax([scores], { dim: scores.shape.length - 1 }), v]);
}

function embedding([x, weight]) {
  const width = weight.shape[1];
  const y = tensor([...x.shape, width]);
  x.data.forEach((token, place) => y.data.set(weight.data.subarray(token * width, (token + 1) * width), place * width));
  return y;
}

function oneHot([x], { count }) {
  const y = tensor([...x.shape, count]);
  x.data.forEach((place, row) => (y.data[row * count + place] = 1));
  return y;
}

function permute([x], { dims }) {
  const strides = stridesOf(x.shape);
  return gather(x, dims.map((dim) => x.shape[dim]), dims.map((dim) => strides[dim]));
}

// ranges: [start, size, step] of the first dimensions; then the shape without those that a single place removes.
function crop([x], { ranges, shape }) {
  const strides = stridesOf(x.shape);
  const sizes = x.shape.map((size, dim) => (ranges[dim] ? ranges[dim][1] : size));
  const start = ranges.reduce((sum, [first], dim) => sum + first * strides[dim], 0);
  const steps = strides.map((stride, dim) => stride * (ranges[dim]?.[2] ?? 1));
  return tensor(shape, gather(x, sizes, steps, start).data);
}

function slice([x], { dim, start, size, drop }) {
  const shape = x.shape.map((whole, place) => (place === dim ? size : whole));
  const ranges = shape.map((one, place) => [place === dim ? start : 0, one, 1]);
  return crop([x], { ranges, shape: drop ? shape.filter((_, place) => place !== dim) : shape });
}

// The numbers at some places along each dimension.
function take([x], { places }) {
  const strides = stridesOf(x.shape);
  const froms = places.reduce((starts, own, dim) => starts.flatMap((start) => own.map((place) => start + place * strides[dim])), [0]);
  return tensor(places.map((own) => own.length), Float32Array.from(froms, (from) => x.data[from]));
}

function flip([x], { dims }) {
  const own = stridesOf(x.shape);
  const start = dims.reduce((sum, dim) => sum + (x.shape[dim] - 1) * own[dim], 0);
  return gather(x, x.shape, own.map((stride, dim) => (dims.includes(dim) ? -stride : stride)), start);
}

// Values around a tensor, and with steps above 1 between its numbers.
function pad([x], { before, after, value, steps = x.shape.map(() => 1) }) {
  const y = tensor(x.shape.map((size, dim) => (size - 1) * steps[dim] + 1 + before[dim] + after[dim]));
  y.data.fill(value);
  const strides = stridesOf(y.shape);
  const start = before.reduce((sum, first, dim) => sum + first * strides[dim], 0);
  const apart = strides.map((stride, dim) => stride * steps[dim]);
  walk(x.shape, apart, start, (from, to) => (y.data[to] = x.data[from]));
  return y;
}

const sigmoid = (value) => 1 / (1 + Math.exp(-value));

// One step of each kind: from W x + b and U h + c, rows gate by gate, to the next h (and c in place).
const CELLS = {
  lstm(a, b, h, c) {
    const size = h.length;
    for (let unit = 0; unit < size; unit++) {
      const [i, f, g, o] = [0, 1, 2, 3].map((gate) => a[gate * size + unit] + b[gate * size + unit]);
      c[unit] = sigmoid(f) * c[unit] + sigmoid(i) * Math.tanh(g);
      h[unit] = sigmoid(o) * Math.tanh(c[unit]);
    }
  },
  gru(a, b, h) {
    const size = h.length;
    for (let unit = 0; unit < size; unit++) {
      const [r, z] = [0, 1].map((gate) => sigmoid(a[gate * size + unit] + b[gate * size + unit]));
      const n = Math.tanh(a[2 * size + unit] + r * b[2 * size + unit]);
      h[unit] = (1 - z) * n + z * h[unit];
    }
  },
  rnn_tanh(a, b, h) {
    for (let unit = 0; unit < h.length; unit++) h[unit] = Math.tanh(a[unit] + b[unit]);
  },
  rnn_relu(a, b, h) {
    for (let unit = 0; unit < h.length; unit++) h[unit] = Math.max(a[unit] + b[unit], 0);
  },
};

function product(weight, bias, vector, result) {
  const width = vector.length;
  for (let row = 0; row < result.length; row++) {
    let sum = bias ? bias.data[row] : 0;
    for (let i = 0; i < width; i++) sum += weight.data[row * width + i] * vector[i];
    result[row] = sum;
  }
}

// One direction of one layer over the steps of one sequence; writes h of each step, and leaves the last in h and c.
function runCell(kind, rows, [w, u, b, c], state, backwards, write) {
  const [fromInput, fromState] = [w, u].map((weight) => new Float64Array(weight.shape[0]));
  for (let step = 0; step < rows.length; step++) {
    const at = backwards ? rows.length - 1 - step : step;
    product(w, b, rows[at], fromInput);
    product(u, c, state[0], fromState);
    CELLS[kind](fromInput, fromState, state[0], state[1]);
    write(at, state[0]);
  }
}

function recurrent([x, ...rest], { kind, which, layers, both, first, biases, states }) {
  const before = rest.slice(0, states);
  const weights = rest.slice(states);
  const directions = both ? 2 : 1;
  const each = biases ? 4 : 2;
  const [batch, length] = first ? [x.shape[0], x.shape[1]] : [x.shape[1], x.shape[0]];
  const size = before[0].shape[2];
  const last = before.map((one) => tensor([layers * directions, batch, size]));
  const y = tensor(first ? [batch, length, size * directions] : [length, batch, size * directions]);
  const place = (sample, step) => (first ? sample * length + step : step * batch + sample);
  for (let sample = 0; sample < batch; sample++) {
    const width = x.shape[2];
    let rows = [...Array(length).keys()].map((step) => x.data.subarray(place(sample, step) * width, (place(sample, step) + 1) * width));
    for (let layer = 0; layer < layers; layer++) {
      const outputs = rows.map(() => new Float64Array(size * directions));
      for (let direction = 0; direction < directions; direction++) {
        const row = layer * directions + direction;
        const from = (row * batch + sample) * size;
        const state = before.map((one) => Float64Array.from(one.data.subarray(from, from + size)));
        const own = weights.slice(row * each, (row + 1) * each);
        runCell(kind, rows, own, state, direction === 1, (step, h) => outputs[step].set(h, direction * size));
        state.forEach((one, kept) => last[kept].data.set(one, from));
      }
      rows = outputs;
    }
    rows.forEach((row, step) => y.data.set(row, place(sample, step) * size * directions));
  }
  return which === 0 ? y : last[which - 1];
}

function cat(tensors, { dim }) {
  const shape = [...tensors[0].shape];
  shape[dim] = tensors.reduce((sum, one) => sum + one.shape[dim], 0);
  const y = tensor(shape);
  const outer = sizeOf(shape.slice(0, dim));
  const inner = sizeOf(shape.slice(dim + 1));
  let to = 0;
  for (let o = 0; o < outer; o++) {
    for (const one of tensors) {
      const size = one.shape[dim] * inner;
      y.data.set(one.data.subarray(o * size, (o + 1) * size), to);
      to += size;
    }
  }
  return y;
}

// Abramowitz and Stegun 7.1.26 is too coarse; this is the series and the continued fraction, to double precision.
function erf(x) {
  const a = Math.abs(x);
  if (a > 6) return Math.sign(x);
  if (a < 2.5) {
    let [term, sum] = [a, a];
    for (let n = 1; n < 60; n++) {
      term *= (-a * a) / n;
      sum += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + fraction)));
}

const GELU_TANH = Math.sqrt(2 / Math.PI);

const operations = {
  linear, matmul, conv2d, convTranspose2d, mean, batchNorm, layerNorm, softmax, attention, embedding, oneHot, permute, crop, slice, cat, pad, take, flip, groupNorm, recurrent,
  maxPool2d: (inputs, options) => pool(inputs, options, -Infinity, Math.max, (value) => value),
  avgPool2d: (inputs, options) =>
    pool(inputs, options, 0, (a, b) => a + b, (sum) => sum / (options.kernel[0] * options.kernel[1])),
  add: elementwise((a, b) => a + b),
  sub: elementwise((a, b) => a - b),
  mul: elementwise((a, b) => a * b),
  div: elementwise((a, b) => a / b),
  power: ([x], { exponent }) => map(x, (value) => value ** exponent),
  relu: ([x]) => map(x, (value) => Math.max(value, 0)),
  leakyRelu: ([x], { slope }) => map(x, (value) => (value > 0 ? value : slope * value)),
  clamp: ([x], { low, high }) => map(x, (value) => Math.min(Math.max(value, low ?? -Infinity), high ?? Infinity)),
  sigmoid: ([x]) => map(x, sigmoid),
  silu: ([x]) => map(x, (value) => value / (1 + Math.exp(-value))),
  tanh: ([x]) => map(x, Math.tanh),
  exp: ([x]) => map(x, Math.exp),
  sin: ([x]) => map(x, Math.sin),
  cos: ([x]) => map(x, Math.cos),
  sqrt: ([x]) => map(x, Math.sqrt),
  rsqrt: ([x]) => map(x, (value) => 1 / Math.sqrt(value)),
  neg: ([x]) => map(x, (value) => -value),
  gelu: ([x], options) =>
    map(x, (z) => (z / 2) * (1 + (options.tanh ? Math.tanh(GELU_TANH * (z + 0.044715 * z ** 3)) : erf(z / Math.SQRT2)))),
  reshape: ([x], { shape }) => tensor(shape, x.data),
  expand: ([x], { shape }) => gather(x, shape, broadcastStrides(x.shape, shape)),
};

function decode(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes.buffer;
}

// The constants of a program by number; those in int8 are multiplied by the scale of their row.
function constantsOf(program) {
  const buffer = decode(program.values);
  const floats = new Float32Array(buffer, 0, program.floats);
  const small = new Int8Array(buffer, 4 * program.floats);
  const found = new Map();
  for (const [number, { shape, start, scales }] of Object.entries(program.constants)) {
    const size = sizeOf(shape);
    const width = size / shape[0];
    const values =
      scales === null
        ? floats.subarray(start, start + size)
        : Float32Array.from(small.subarray(start, start + size), (value, i) => value * floats[scales + Math.floor(i / width)]);
    found.set(Number(number), tensor(shape, values));
  }
  return found;
}

// A function from input arrays to every tensor of the forward pass by number, with its result as `output`.
function makeNetwork(program) {
  const constants = constantsOf(program);
  return (...arrays) => {
    const known = new Map(constants);
    program.inputs.forEach((number, place) => known.set(number, tensor(program.shapes[place], Float32Array.from(arrays[place]))));
    for (const { op, inputs, options, output } of program.steps) {
      known.set(output, operations[op](inputs.map((number) => known.get(number)), options));
    }
    return { tensors: known, output: known.get(program.output) };
  };
}
