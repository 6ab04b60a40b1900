// From a drawing or a picture to the input of a network of images.

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

// A picture as the network's input: fitted to the size of the training images as dltool does, its colours scaled.
function inputOfPicture(bitmap, image) {
  const [height, width] = image.raw_size;
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  const kept = image.fit === "crop" ? Math.min(bitmap.width / width, bitmap.height / height) : 0;
  const [w, h] = kept ? [kept * width, kept * height] : [bitmap.width, bitmap.height];
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, (bitmap.width - w) / 2, (bitmap.height - h) / 2, w, h, 0, 0, width, height);
  const { data: pixels } = context.getImageData(0, 0, width, height);
  const channels = [...image.shift.keys()].map((c) => {
    const own = Float32Array.from({ length: width * height }, (_, i) => pixels[4 * i + c]);
    return resized(own, image.raw_size, image.size).map((value) => (value - image.shift[c]) * image.factor[c]);
  });
  return Float32Array.from(channels.flatMap((one) => [...one]));
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
