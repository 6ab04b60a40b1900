// The players of films: a slider over the frames, play and pause, speed.
const MILLISECONDS = 160;

function makePlayer(figure) {
  const frames = data.films[figure.dataset.film] ?? [];
  const [picture, slider, button] = ["img", "input", ".play"].map((name) => figure.querySelector(name));
  const [speed, output] = ["select", "output"].map((name) => figure.querySelector(name));
  let timer = 0;

  function show(place) {
    slider.value = place;
    picture.src = frames[place];
    output.textContent = `${place + 1} / ${frames.length}`;
    slider.setAttribute("aria-valuetext", output.textContent);
  }

  function pause() {
    clearInterval(timer);
    timer = 0;
    button.textContent = word("Play");
    button.setAttribute("aria-pressed", "false");
  }

  function play() {
    clearInterval(timer);
    if (Number(slider.value) >= frames.length - 1) show(0);
    timer = setInterval(() => {
      const next = Number(slider.value) + 1;
      if (next >= frames.length) pause();
      else show(next);
    }, MILLISECONDS / Number(speed.value));
    button.textContent = word("Pause");
    button.setAttribute("aria-pressed", "true");
  }

  if (!frames.length) return;
  slider.max = frames.length - 1;
  slider.addEventListener("input", () => {
    pause();
    show(Number(slider.value));
  });
  button.addEventListener("click", () => (timer ? pause() : play()));
  speed.addEventListener("change", () => timer && play());
  show(frames.length - 1);
}

document.querySelectorAll(".film").forEach(makePlayer);
