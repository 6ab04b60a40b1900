// Buttons that copy a command, and pictures that are enlarged.
function copyByHand(element) {
  const range = document.createRange();
  range.selectNodeContents(element);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
  return document.execCommand("copy");
}

async function copy(button) {
  const code = button.parentElement.querySelector("code");
  try {
    await navigator.clipboard.writeText(code.textContent);
  } catch {
    if (!copyByHand(code)) return; // The text is selected; the reader copies it.
  }
  button.textContent = word("Copied");
  setTimeout(() => (button.textContent = word("Copy")), 1500);
}

// A picture at its own size, in a frame that scrolls, and back.
function enlarge(frame) {
  const isLarge = frame.parentElement.classList.toggle("large");
  frame.setAttribute("aria-pressed", String(isLarge));
}

document.addEventListener("click", (event) => {
  const [button, frame] = [".copy", ".frame"].map((name) => event.target.closest(name));
  if (button) copy(button);
  if (frame) enlarge(frame);
});

document.addEventListener("keydown", (event) => {
  if (!event.target.matches(".frame") || !["Enter", " "].includes(event.key)) return;
  enlarge(event.target);
  event.preventDefault();
});
