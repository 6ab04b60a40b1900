// The data and the words of a page without charts.
"use strict";
const data = JSON.parse(document.getElementById("page-content").textContent);
const word = (text) => data.words[text] ?? text;
