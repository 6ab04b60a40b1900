// Buttons that copy a command.
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

document.addEventListener("click", (event) => {
  const button = event.target.closest(".copy");
  if (button) copy(button);
});
