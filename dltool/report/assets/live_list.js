// The list of runs: it is searched while the reader types, and ticks stay when the search changes.
const search = document.getElementById("search");
const compare = document.getElementById("compare");
const ticked = new Set();
let typing = 0;

function showTicks() {
  compare.querySelectorAll("input[name=run]").forEach((input) => (input.checked = ticked.has(input.value)));
  document.getElementById("ticked").textContent = ticked.size ? `${ticked.size}: ${[...ticked].join(", ")}` : "";
}

compare.addEventListener("change", (event) => {
  if (event.target.name !== "run") return;
  if (event.target.checked) ticked.add(event.target.value);
  else ticked.delete(event.target.value);
  showTicks();
});

compare.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!ticked.size) return say(word("Tick the runs to compare."));
  location.href = "compare?" + new URLSearchParams([...ticked].map((run) => ["run", run]));
});

function find(event) {
  event?.preventDefault();
  const values = new URLSearchParams([...new FormData(search)].filter(([, value]) => value));
  live.address = `list/changes?${values}`;
  live.version = "";
  history.replaceState(null, "", values.size ? `./?${values}` : "./");
  poll();
}

search.addEventListener("submit", find);
search.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(find, 200);
});
live.onReplaced = showTicks;
compare.querySelectorAll("input[name=run]:checked").forEach((input) => ticked.add(input.value)); // After "back".
showTicks();
