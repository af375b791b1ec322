"use strict";
// For both pages that play a calculation: text, elements, and the player.

const at = (id) => document.getElementById(id);
const last = (items) => items[items.length - 1];

/** Six significant digits, as the terminal prints them; fewer where there is little room. */
function number(value, digits = 6, lowest = -4) {
  if (value === null) return "not finite";
  if (value === 0) return "0";
  const exponent = Number(value.toExponential(digits - 1).split("e")[1]);
  if (exponent >= lowest && exponent < Math.max(digits, 4)) {
    const text = value.toFixed(Math.max(0, digits - 1 - exponent));
    return minus(text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  }
  const [mantissa, power] = value.toExponential(digits - 1).split("e");
  const short = mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa;
  return minus(`${short}e${Number(power)}`);
}
/** A number's sign, not the hyphen of a name. */
const minus = (text) => text.replace(/-(?=\d)/g, "−");
const inProduct = (value) => (value < 0 ? `(${number(value)})` : number(value));

/** An element with its attributes and children. Text is always text: nothing is parsed as HTML. */
function element(name, attributes = {}, ...children) {
  return built(document.createElement(name), attributes, children);
}
function svg(name, attributes = {}, ...children) {
  return built(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}
function built(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}
function set(cell, value, text = number(value)) {
  cell.textContent = text;
  if (value === null) cell.removeAttribute("data-value");
  else cell.dataset.value = String(value);
}

/** A derivative's adjoint, factor or value that is added or taken away: its sign, then the number without it. */
const signed = (value) => (value < 0 ? `− ${number(value).slice(1)}` : `+ ${number(value)}`);

/**
 * Buttons, keys, slider and speed. `count` is how many steps there are, `show` shows the current one; `state.step` is which.
 */
function player(state, count, show) {
  /** How long a step stays, in milliseconds, at speed 1. */
  const STAY = 1400;
  let timer = null;

  function go(to) {
    state.step = Math.min(Math.max(0, to), count() - 1);
    draw();
  }
  function draw() {
    const end = count() - 1;
    at("step").max = end;
    at("step").value = state.step;
    at("step").setAttribute("aria-valuetext", `step ${state.step} of ${end}`);
    set(at("step-text"), state.step, `${state.step} of ${end}`);
    // Not `disabled`: that would take the focus away from who steps by keyboard.
    for (const id of ["first", "back"]) at(id).setAttribute("aria-disabled", state.step === 0);
    for (const id of ["next", "last"]) at(id).setAttribute("aria-disabled", state.step === end);
    show();
  }
  function play(on) {
    clearInterval(timer);
    timer = null;
    if (on) {
      if (state.step === count() - 1) go(0);
      timer = setInterval(() => {
        go(state.step + 1);
        if (state.step === count() - 1) play(false);
      }, STAY / Number(at("speed").value));
    }
    at("play").setAttribute("aria-label", on ? "Pause" : "Play");
    at("play").classList.toggle("playing", on);
  }
  const stop = () => play(false);

  at("step").addEventListener("input", (event) => { stop(); go(Number(event.target.value)); });
  const buttons = { first: () => 0, back: () => state.step - 1, next: () => state.step + 1, last: () => Infinity };
  for (const [id, to] of Object.entries(buttons)) {
    at(id).addEventListener("click", () => { stop(); go(to()); });
  }
  at("play").addEventListener("click", () => play(timer === null));
  at("speed").addEventListener("change", () => { if (timer !== null) play(true); });

  const keys = { ArrowRight: "next", ArrowLeft: "back", Home: "first", End: "last" };
  document.addEventListener("keydown", (event) => {
    // Whoever has the focus and a use for the key keeps it.
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, select, .scroll")) return;
    if (event.key === " " && !event.target.closest("button, summary")) {
      play(timer === null);
      event.preventDefault();
    } else if (keys[event.key]) {
      stop();
      go(buttons[keys[event.key]]());
      event.preventDefault();
    }
  });

  // On paper stands the whole calculation, with all that is folded but the numbers of charts.
  let before = null;
  addEventListener("beforeprint", () => {
    const closed = [...document.querySelectorAll("details:not([open]):not(.numbers)")];
    before = { step: state.step, closed };
    for (const details of closed) details.open = true;
    stop();
    go(Infinity);
  });
  addEventListener("afterprint", () => {
    if (!before) return;
    for (const details of before.closed) details.open = false;
    go(before.step);
    before = null;
  });
  return { go, draw, stop };
}
