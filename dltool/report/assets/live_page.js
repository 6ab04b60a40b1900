// The curves and films of a page that follows a training.
function addPoint(chart, label, step, value) {
  const series = chart.series.find((one) => one.label === label);
  if (!series) return;
  const steps = chart.x.step;
  let place = steps.length;
  while (place > 0 && steps[place - 1] >= step) place--;
  if (steps[place] !== step) {
    steps.splice(place, 0, step);
    chart.series.forEach((one) => one.values.splice(place, 0, null));
  }
  series.values[place] = value;
}

function redraw(one, wasWhole, wasAtEnd) {
  one.plot.setData(positiveOnly(valuesOf(one.chart), document.getElementById("logarithmic").checked), wasWhole);
  if (!wasWhole) one.plot.redraw();
  if (wasAtEnd) one.cursor = one.plot.data[0].length - 1;
  describe(one);
}

function isWhole(plot) {
  const { min, max } = plot.scales.x;
  const xs = plot.data[0];
  return min === undefined || min === null || (min <= xs[0] && max >= xs.at(-1));
}

live.onChanges = (changes) => {
  if (changes.charts) {
    data.charts = changes.charts;
    drawAll();
    return;
  }
  const grown = new Set(changes.points.map((one) => one.chart));
  const before = charts.map((one) => [one, isWhole(one.plot), one.cursor >= one.plot.data[0].length - 1]);
  for (const one of changes.points) {
    const chart = data.charts.find((found) => found.title === one.chart);
    if (chart) one.step.forEach((step, place) => addPoint(chart, one.label, step, one.values[place]));
  }
  for (const [one, wasWhole, wasAtEnd] of before) {
    if (!grown.has(one.chart.title)) continue;
    const rate = changes.steps_per_epoch;
    one.chart.x.epoch = rate ? one.chart.x.step.map((step) => step / rate) : null;
    redraw(one, wasWhole, wasAtEnd);
  }
};

async function loadFilm(figure, place) {
  const answer = await fetch(figure.dataset.source, { cache: "no-store" });
  if (!answer.ok) return;
  data.films[figure.dataset.film] = (await answer.json()).frames;
  makePlayer(figure);
  const slider = figure.querySelector("input");
  if (place === null || place >= Number(slider.max)) return;
  slider.value = place;
  slider.dispatchEvent(new Event("input"));
}

live.onReplaced = (fresh, old) => {
  const films = fresh.matches(".film") ? [fresh] : [...fresh.querySelectorAll(".film")];
  for (const film of films) {
    const before = old.id === fresh.id && old.matches(".film") ? old.querySelector("input") : null;
    loadFilm(film, before && before.value !== before.max ? Number(before.value) : null).catch(() => {});
  }
  if (fresh.id === "part-settings") {
    data.points = JSON.parse(fresh.dataset.points);
    drawPoints();
  }
  if (fresh.id === "part-network" && !["network", "playground"].some((name) => fresh.dataset[name] && !data[name])) fresh.replaceChildren();
  if (fresh.id === "part-plane") showPredictions();
};

document.querySelectorAll(".film[data-source]").forEach((film) => loadFilm(film, null).catch(() => {}));
