// Asks the server every second what has changed, and replaces the elements that have.
const PERIOD = 1000;
const LONGEST = 8000; // Milliseconds between two tries while the server does not answer.
const live = { version: data.live.version, address: data.live.changes, failures: 0, timer: 0, onChanges: () => {}, onReplaced: () => {} };

function say(text) {
  const place = document.getElementById("connection");
  if (place.textContent !== text) place.textContent = text;
}

function focusables(element) {
  return [element, ...element.querySelectorAll("a, button, input, select, [tabindex]")];
}

// What the reader did in an element is kept: ticks, the focus, how far it was scrolled.
function keep(old, fresh, focused) {
  const ticked = new Set([...old.querySelectorAll("input:checked")].map((input) => input.value));
  fresh.querySelectorAll("input[type=checkbox]").forEach((input) => (input.checked = ticked.has(input.value)));
  const places = [...old.querySelectorAll(".scroll, pre")].map((one) => [one.scrollLeft, one.scrollTop]);
  return () => {
    [...fresh.querySelectorAll(".scroll, pre")].forEach((one, number) => {
      if (places[number]) [one.scrollLeft, one.scrollTop] = places[number];
    });
    if (focused >= 0) focusables(fresh)[focused]?.focus({ preventScroll: true });
  };
}

async function replace(id, html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  const fresh = document.importNode(holder.content.firstElementChild, true);
  await Promise.all([...fresh.querySelectorAll("img[src]")].map((image) => image.decode().catch(() => {})));
  const old = document.getElementById(id);
  if (!old) return;
  const restore = keep(old, fresh, focusables(old).indexOf(document.activeElement));
  old.replaceWith(fresh);
  restore();
  live.onReplaced(fresh, old);
}

async function ask() {
  const joint = live.address.includes("?") ? "&" : "?";
  const address = live.address;
  const answer = await fetch(`${address}${joint}since=${encodeURIComponent(live.version)}`, { cache: "no-store" });
  if (!answer.ok) {
    say(word("This page is out of date: the run was removed, or the server was started again."));
    return;
  }
  const changes = await answer.json();
  if (address !== live.address) return; // The reader has typed on.
  for (const [id, html] of Object.entries(changes.parts)) await replace(id, html);
  live.onChanges(changes);
  live.version = changes.version;
  say("");
}

async function poll() {
  clearTimeout(live.timer);
  try {
    if (!document.hidden) await ask();
    live.failures = 0;
  } catch {
    live.failures += 1;
    say(word("The server does not answer. Trying again …"));
  }
  live.timer = setTimeout(poll, Math.min(PERIOD * (1 + live.failures), LONGEST));
}

document.addEventListener("visibilitychange", () => !document.hidden && poll());
live.timer = setTimeout(poll, PERIOD);
