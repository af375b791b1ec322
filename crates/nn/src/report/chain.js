"use strict";
// Shows what the engine computed: it picks, rounds and places numbers, and computes none.
(() => {
  // Edges between long names are called a->b: on the page with an arrow, which no line break divides.
  const arrows = (key, value) => (typeof value === "string" ? value.replaceAll("->", "→") : value);
  const trainings = JSON.parse(document.getElementById("data").textContent, arrows);
  const at = (id) => document.getElementById(id);
  const state = { training: 0, sample: 0, epoch: 0, step: 0, timer: null };

  // ---- text ----

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
  function show(cell, value, text = number(value)) {
    cell.textContent = text;
    if (value === null) cell.removeAttribute("data-value");
    else cell.dataset.value = String(value);
  }

  // ---- what is chosen ----

  const training = () => trainings[state.training];
  const snapshot = () => training().snapshots[state.epoch];
  const numbers = () => snapshot().numbers[state.sample];
  const step = () => training().steps[state.step];
  const isProduct = (step) => step.kind === "derivative" || step.kind === "adjoint";
  const last = (items) => items[items.length - 1];

  /** The rows that have a value, and those that have an adjoint, after the steps up to the current one. */
  function filled() {
    const values = new Set();
    const adjoints = new Set();
    training().rows.forEach((row, index) => {
      if (row.operation === "parameter" || row.operation === "constant") values.add(index);
    });
    for (const step of training().steps.slice(0, state.step + 1)) {
      const into = step.kind === "forward" ? values : adjoints;
      for (const row of step.rows ?? []) into.add(row);
    }
    return { values, adjoints };
  }

  /** Place of a derivative among all, in the order of their steps. */
  const termOf = (index) => training().steps.slice(0, index).filter((step) => step.kind === "derivative").length;
  const ownOf = (step, index) => (step.kind === "derivative" ? numbers().own[termOf(index)] : numbers().path[step.path]);

  /** Long paths are cut in the middle for the spoken line. */
  const elided = (factors) => (factors.length > 4 ? [factors[0], factors[1], "…", last(factors)] : factors);

  function parts(step, index) {
    const symbols = training().path.slice(0, step.path).map((factor) => factor.symbol);
    const path = numbers().path.slice(0, step.path);
    return {
      symbols,
      own: step.own.symbol,
      values: path.map((value, place) => (place === 0 ? number(value) : inProduct(value))),
      ownValue: inProduct(ownOf(step, index)),
      from: numbers().adjoints[step.from],
      result: numbers().adjoints[last(step.rows)],
    };
  }

  function sentence() {
    const { rows, nodes, loss } = training();
    const current = step();
    const { values, adjoints, forward, path } = numbers();
    switch (current.kind) {
      case "start":
        return `Start: the input ${nodes[0]} = ${number(values[0])} and the parameters are known. Nothing is computed yet.`;
      case "forward":
        return `Forward: ${current.symbol} = ${current.formula} = ${minus(forward[current.node - 1])} = ${number(values[last(current.rows)])}`;
      case "seed":
        return `Reverse: the sweep starts at ${loss}. ${current.symbol} = ${current.formula} = ${number(path[0])}`;
      default: {
        const { symbols, own, values, ownValue, result } = parts(current, state.step);
        const [open, close] = current.reused ? ["[", "]"] : ["", ""];
        const back = current.kind === "adjoint" ? ", handed back for all that lies further left" : "";
        return `Reverse: ${current.symbol} = ${open}${elided(symbols).join("·")}${close}·${own} = ${open}${elided(values).join(" × ")}${close} × ${ownValue} = ${number(result)}${back}`;
      }
    }
  }

  // ---- the network ----

  function short(name, length) {
    return name.length > length ? `${name.slice(0, length - 1)}…` : name;
  }

  /** As many columns as the width allows; a longer chain goes on in the next line. */
  function layout(width) {
    const { nodes, links } = training();
    const count = nodes.length + 1;
    const isLong = Math.max(...nodes.map((name) => name.length)) > 4;
    const room = isLong ? 116 : count <= 5 ? 60 : width < 400 ? 74 : 82;
    const columns = Math.min(count, Math.max(2, Math.floor(width / room)));
    const cell = Math.min(150, width / columns);
    const hasBias = links.some((link) => link.bias !== null);
    const above = 74;
    const below = hasBias ? 92 : 60;
    const between = 30;
    const left = (width - cell * columns) / 2;
    return {
      cell,
      radius: isLong ? 42 : Math.min(21, cell / 2 - 11),
      names: isLong ? 9 : 4,
      figure: (value) => number(value, cell < 70 ? 2 : cell < 90 ? 3 : 4, -3),
      height: Math.ceil(count / columns) * (above + below + between) - between,
      place: (i) => [left + cell * ((i % columns) + 0.5), above + (above + below + between) * Math.floor(i / columns)],
      above,
      between,
      width,
    };
  }

  const label = (x, y, className, content) => svg("text", { x, y, class: className, "text-anchor": "middle" }, content);

  /** The sign that, besides the colour, tells derivatives from values. */
  const partial = (text, cell) => (cell < 70 ? `∂${text}` : `∂ ${text}`);

  function drawNetwork(box, { values, adjoints }) {
    const { nodes } = training();
    const plan = layout(Math.max(240, box.clientWidth));
    const drawing = svg("svg", {
      width: plan.width, height: plan.height, class: plan.cell < 70 ? "narrow" : plan.names > 4 ? "long" : null,
      role: "img", "aria-label": description(values, adjoints),
    });
    for (let i = 1; i <= nodes.length; i++) drawing.append(drawEdge(i, plan, adjoints));
    for (let i = 0; i <= nodes.length; i++) drawing.append(drawNode(i, plan, values, adjoints));
    box.replaceChildren(drawing);
  }

  /** The edge to node i. The one to the loss carries the target instead of a weight. */
  function drawEdge(i, { place, radius, cell, figure, width, above, between }, adjoints) {
    const { nodes, links, rows } = training();
    const current = step();
    const isLoss = i === nodes.length;
    const isCurrent = (current.link ?? (current.kind === "forward" ? current.node : null)) === i || (current.kind === "seed" && isLoss);
    const isReverse = isCurrent && current.kind !== "forward";
    const [x0, y0] = place(i - 1);
    const [x1, y1] = place(i);
    const wraps = y1 !== y0;
    const tip = x1 - (isLoss ? Math.min(20, radius) : radius);
    const gap = y1 - above - between / 2 + 8;
    const path = wraps ? `M${x0 + radius} ${y0}H${width - 2}V${gap}H2V${y1}H${tip - 3}` : `M${x0 + radius} ${y0}H${tip - 3}`;
    const edge = svg("g", { class: `edge${isCurrent ? ` current ${isReverse ? "reverse" : "forward"}` : ""}` }, svg("path", { class: "wire", d: path }));
    // The sweep goes against the arrow.
    edge.append(svg("path", { class: "arrow", d: isReverse ? `M${x0 + radius} ${y0}l9 -5v10z` : `M${tip} ${y1}l-9 -5v10z` }));
    const weight = isLoss ? null : links[i - 1].weight;
    const name = isLoss ? "target" : rows[weight].name;
    const value = figure(isLoss ? training().samples[state.sample][1] : numbers().values[weight]);
    const derivative = weight !== null && adjoints.has(weight) ? partial(figure(numbers().adjoints[weight]), cell) : "";
    edge.append(svg("title", {}, name));
    if (wraps) {
      const line = label(width / 2, gap - 6, "", "");
      line.append(
        svg("tspan", { class: "edge-name" }, short(name, 20)), " ", svg("tspan", { class: "weight" }, value), " ",
        svg("tspan", { class: "derivative" }, derivative));
      edge.append(line);
    } else {
      const x = (x0 + x1) / 2;
      edge.append(label(x, y1 - 57, "edge-name", short(name, Math.floor(cell / 8))), label(x, y1 - 42, "weight", value), label(x, y1 - 27, "derivative", derivative));
    }
    return edge;
  }

  /** Node i with its value and adjoint below, and its bias if it has one. The loss is the square one behind the last. */
  function drawNode(i, { place, radius, cell, figure, names }, values, adjoints) {
    const { nodes, activations, links, rows, loss } = training();
    const current = step();
    const isLoss = i === nodes.length;
    const row = i === 0 ? 0 : isLoss ? rows.length - 1 : links[i - 1].node;
    const marked = current.kind === "forward" || current.kind === "seed" ? current.node : current.kind === "adjoint" ? current.link - 1 : null;
    const isCurrent = marked === i;
    const kind = current.kind === "forward" ? "forward" : "reverse";
    const name = isLoss ? loss : nodes[i];
    const [x, y] = place(i);
    const group = svg("g", { class: `node${isCurrent ? ` current ${kind}` : ""}${values.has(row) ? " known" : ""}` }, svg("title", {}, name));
    const half = isLoss ? Math.min(20, radius) : radius;
    const box = (margin, round) => ({ x: x - half - margin, y: y - (isLoss ? half : Math.min(21, radius)) - margin, width: 2 * (half + margin), height: 2 * ((isLoss ? half : Math.min(21, radius)) + margin), rx: round + margin });
    if (isCurrent) group.append(svg("rect", { class: "ring", ...box(4, isLoss ? 6 : 21) }));
    group.append(svg("rect", box(0, isLoss ? 6 : 21)));
    const activation = isLoss ? "" : activations[i];
    group.append(label(x, activation ? y + 2 : y + 5, "node-name", short(name, names)));
    if (activation) group.append(label(x, y + 14, "activation", short(activation, 8)));
    if (values.has(row)) group.append(label(x, y + 38, "value", figure(numbers().values[row])));
    if (adjoints.has(row)) group.append(label(x, y + 53, "derivative", partial(figure(numbers().adjoints[row]), cell)));
    const bias = i > 0 && !isLoss ? links[i - 1].bias : null;
    if (bias !== null) {
      const name = rows[bias].name;
      const line = label(x, y + 70, "", "");
      line.append(svg("tspan", { class: "edge-name" }, short(name, cell < 100 ? 4 : 8)), " ", svg("tspan", { class: "weight" }, figure(numbers().values[bias])));
      group.append(line);
      if (adjoints.has(bias)) group.append(label(x, y + 85, "derivative", partial(figure(numbers().adjoints[bias]), cell)));
    }
    return group;
  }

  function description(values, adjoints) {
    const { rows, nodes } = training();
    const named = (index) => {
      const adjoint = adjoints.has(index) && numbers().adjoints[index] !== null ? `, derivative ${number(numbers().adjoints[index])}` : "";
      return `${rows[index].name} = ${number(numbers().values[index])}${adjoint}`;
    };
    const known = rows.map((row, index) => (row.name && values.has(index) ? named(index) : null)).filter((text) => text);
    return `The network ${nodes.join(" → ")}. Known so far: ${known.join("; ")}.`;
  }

  // ---- the product ----

  function drawProduct() {
    const box = at("product");
    const current = step();
    box.replaceChildren();
    if (!isProduct(current)) {
      if (current.kind === "seed") {
        box.append(element("p", { class: "formula" }, `${current.symbol} = ${current.formula}`));
        const result = element("b", { class: "result" });
        show(result, numbers().path[0]);
        box.append(element("p", { class: "formula figures" }, "= ", result));
        box.append(element("p", { class: "note" }, "Every derivative below begins with this factor."));
      } else {
        box.append(element("p", { class: "note" }, "The products begin with the reverse sweep, when the loss is known."));
      }
      return;
    }
    const { symbols, own, values, ownValue, from, result } = parts(current, state.step);
    const pieces = (items, times) => items.flatMap((item, i) => (i ? [times, document.createElement("wbr"), item] : [item]));
    const reused = (items, times, adjoint) => {
      const known = adjoint && items.length > 1 ? [` = ${number(from)}`] : [];
      const inside = [...pieces(items, times), ...known];
      return current.reused ? element("mark", {}, "[", ...inside, "]") : element("span", {}, ...inside);
    };
    box.append(element("p", { class: "formula", id: "symbols" }, `${current.symbol} = `, reused(symbols, "·", false), "·", document.createElement("wbr"), element("b", {}, own)));
    const value = element("b", { class: "result", id: "result" });
    show(value, result);
    box.append(element("p", { class: "formula figures", id: "figures" }, "= ", reused(values, " × ", true), " × ", document.createElement("wbr"), element("b", {}, ownValue), " ", element("span", { class: "together" }, "= ", value)));
    box.append(element("p", { class: "note" }, `Here ${current.own.symbol} = ${current.own.formula}.`));
    box.append(element("p", { class: "count-line", id: "counts", "data-reused": current.reused, "data-done": 1 },
      "multiplications done here: ", element("b", {}, "1"), "; factors reused: ", current.reused ? element("mark", {}, `[ ${current.reused} ]`) : element("b", {}, "0")));
  }

  function drawGradient() {
    const { steps } = training();
    const rows = [];
    let tally = null;
    steps.slice(0, state.step + 1).forEach((step, index) => {
      if (isProduct(step)) tally = step;
      if (step.kind !== "derivative") return;
      const value = element("td");
      show(value, numbers().adjoints[last(step.rows)]);
      const row = element("tr", index === state.step ? { "aria-current": "step" } : {},
        element("th", { scope: "row" }, step.symbol), element("td", {}, String(step.path + 1)), element("td", {}, String(step.reused)), value);
      rows.push(row);
    });
    if (!rows.length) rows.push(element("tr", {}, element("td", { colspan: 4, class: "empty" }, "none yet")));
    at("gradient").replaceChildren(...rows);
    at("tally").textContent = tally
      ? `So far ${tally.done} multiplication${tally.done === 1 ? "" : "s"}; each derivative multiplied out on its own: ${tally.alone}.`
      : "";
    const box = at("gradient").closest(".scroll");
    box.scrollTop = box.scrollHeight;
  }

  // ---- the list ----

  function drawList({ values, adjoints }) {
    const { rows } = training();
    const current = step();
    const currentRow = current.rows ? last(current.rows) : null;
    const touched = new Set(current.rows ?? []);
    const kind = current.kind === "forward" ? "forward" : "reverse";
    const body = at("list").tBodies[0];
    const digits = matchMedia("(max-width: 44rem)").matches ? 4 : 6;
    const drawn = rows.map((row, index) => {
      const isCurrent = index === currentRow;
      const value = element("td", { class: "value" });
      if (values.has(index)) show(value, numbers().values[index], number(numbers().values[index], digits));
      const partials = element("td", { class: "partials" });
      if (values.has(index)) {
        row.arguments.forEach((argument, place) => {
          const value = numbers().partials[index][place];
          partials.append(element("span", { "data-value": value }, `∂${argument} = ${number(value, digits)}`), " ");
        });
      }
      const adjoint = element("td", { class: "adjoint" });
      if (adjoints.has(index)) show(adjoint, numbers().adjoints[index], number(numbers().adjoints[index], digits));
      else if (row.operation === "constant") adjoint.append(element("span", { title: "a constant: nothing is derived with respect to it" }, "–"));
      const mark = isCurrent ? (kind === "forward" ? "▶" : "◀") : "";
      return element("tr", { class: `${touched.has(index) ? `touched ${kind}` : ""}`, "aria-current": isCurrent ? "step" : null },
        element("td", { class: "marker" }, element("span", { "aria-hidden": "true" }, mark)),
        element("th", { scope: "row" }, element("span", { class: "number" }, row.number), " ", element("span", { class: "name", title: row.name }, row.name)),
        element("td", { class: "operation" }, element("span", { title: row.operation }, row.operation)), value, adjoint, partials);
    });
    body.replaceChildren(...drawn);
    if (currentRow !== null) {
      // The box scrolls, never the page.
      const box = at("list").closest(".scroll");
      const row = drawn[currentRow];
      const head = at("list").tHead.offsetHeight;
      if (row.offsetTop - head < box.scrollTop) box.scrollTop = row.offsetTop - head - 8;
      else if (row.offsetTop + row.offsetHeight > box.scrollTop + box.clientHeight) box.scrollTop = row.offsetTop + row.offsetHeight - box.clientHeight + 8;
    }
  }

  // ---- loss and fit ----

  function drawResults() {
    document.querySelectorAll(".results").forEach((results) => {
      results.hidden = Number(results.dataset.training) !== state.training;
    });
    const results = document.querySelector(`.results[data-training="${state.training}"]`);
    const { mark: [x, y], curve, predictions } = snapshot();
    const set = (selector, attributes) => built(results.querySelector(selector), attributes, []);
    set(".epoch-line", { d: `M${x} 12V196` });
    set(".epoch-mark", { cx: x, cy: y });
    set("[data-fit]", { d: curve });
    const crosses = results.querySelectorAll(".chart .prediction");
    const rows = results.querySelectorAll(".predictions tbody tr");
    predictions.forEach(([prediction, error, height], index) => {
      crosses[index].setAttribute("transform", `translate(${crosses[index].dataset.x} ${height})`);
      show(rows[index].querySelector(".predicted"), prediction);
      show(rows[index].querySelector(".error"), error);
    });
  }

  // ---- all of it ----

  function draw() {
    const known = filled();
    const steps = training().steps.length;
    const stage = snapshot();
    at("step").max = steps - 1;
    at("step").value = state.step;
    at("step").setAttribute("aria-valuetext", `step ${state.step} of ${steps - 1}`);
    show(at("step-text"), state.step, `${state.step} of ${steps - 1}`);
    const forward = training().steps.filter((step) => step.kind === "forward").length;
    at("step").closest(".progress").style.setProperty("--share", `${(100 * forward) / (steps - 1)}%`);
    at("epoch").value = state.epoch;
    at("epoch").setAttribute("aria-valuetext", `epoch ${stage.epoch}, loss ${number(stage.loss)}`);
    show(at("epoch-text"), stage.epoch, `${stage.epoch}, loss ${number(stage.loss)}`);
    at("epoch-text").dataset.loss = String(stage.loss);
    // Not `disabled`: that would take the focus away from who steps by keyboard.
    for (const id of ["first", "back"]) at(id).setAttribute("aria-disabled", state.step === 0);
    for (const id of ["next", "last"]) at(id).setAttribute("aria-disabled", state.step === steps - 1);
    at("now").textContent = sentence();
    at("now").className = `now ${step().kind === "start" ? "" : step().kind === "forward" ? "forward" : "reverse"}`;
    drawNetwork(at("network"), known);
    drawProduct();
    drawGradient();
    drawList(known);
    drawResults();
  }

  function go(to) {
    state.step = Math.min(Math.max(0, to), training().steps.length - 1);
    draw();
  }

  function play(on) {
    clearInterval(state.timer);
    state.timer = null;
    if (on) {
      if (state.step === training().steps.length - 1) go(0);
      state.timer = setInterval(() => {
        go(state.step + 1);
        if (state.step === training().steps.length - 1) play(false);
      }, 1400);
    }
    at("play").setAttribute("aria-label", on ? "Pause" : "Play");
    at("play").classList.toggle("playing", on);
  }

  function choose(index) {
    state.training = index;
    state.sample = Math.min(state.sample, training().samples.length - 1);
    state.epoch = training().kept;
    state.step = Math.min(state.step, training().steps.length - 1);
    at("epoch").max = training().snapshots.length - 1;
    const { nodes } = training();
    at("sample").replaceChildren(...training().samples.map(([input, target], i) =>
      element("option", { value: i }, `${nodes[0]} = ${number(input)}, ${last(nodes)} should be ${number(target)}`)));
    at("sample").value = state.sample;
    at("point").textContent = training().point;
    draw();
  }

  at("training").append(...trainings.map(({ name }, i) => element("option", { value: i }, name)));
  at("training").addEventListener("change", (event) => { play(false); choose(Number(event.target.value)); });
  at("sample").addEventListener("change", (event) => { state.sample = Number(event.target.value); draw(); });
  at("epoch").addEventListener("input", (event) => { state.epoch = Number(event.target.value); draw(); });
  at("step").addEventListener("input", (event) => { play(false); go(Number(event.target.value)); });
  const buttons = { first: () => 0, back: () => state.step - 1, next: () => state.step + 1, last: () => Infinity };
  for (const [id, to] of Object.entries(buttons)) {
    at(id).addEventListener("click", () => { play(false); go(to()); });
  }
  at("play").addEventListener("click", () => play(state.timer === null));

  const keys = { ArrowRight: "next", ArrowLeft: "back", Home: "first", End: "last" };
  document.addEventListener("keydown", (event) => {
    // Whoever has the focus and a use for the key keeps it.
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, select, .scroll")) return;
    if (event.key === " " && !event.target.closest("button, summary")) {
      play(state.timer === null);
      event.preventDefault();
    } else if (keys[event.key]) {
      play(false);
      go(buttons[keys[event.key]]());
      event.preventDefault();
    }
  });
  let width = 0;
  new ResizeObserver(() => {
    if (at("network").clientWidth !== width) {
      width = at("network").clientWidth;
      draw();
    }
  }).observe(at("network"));
  choose(trainings.length - 1);
  at("training").value = state.training;
  go(0);
})();
