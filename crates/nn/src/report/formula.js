// Shows what the engine computed: it picks, rounds and places numbers, and computes none.
(() => {
  const data = JSON.parse(at("data").textContent);
  const { rows, sweep, adjoints, passes } = data;
  const state = { step: 0 };
  const result = rows.length - 1;
  const name = (row) => (row === result ? "f" : rows[row].name || rows[row].number);
  const isInput = (row) => rows[row].operation === "";
  const derivative = (row) => `∂f/∂${name(row)}`;
  /** How an operation calls the result: by its number. */
  const called = (row) => rows[row].name || rows[row].number;

  const steps = [
    { kind: "start" },
    ...rows.flatMap((row, index) => (row.operation ? [{ kind: "forward", row: index }] : [])),
    { kind: "seed", row: result },
    ...sweep.map((handed) => ({ kind: "handed", row: handed.to, handed })),
  ];

  /** Which rows have a value, and what each adjoint has come to, after the current step. */
  function known() {
    const values = new Set(rows.keys().filter(isInput));
    const sums = new Map();
    for (const step of steps.slice(0, state.step + 1)) {
      if (step.kind === "forward") values.add(step.row);
      if (step.kind === "seed") sums.set(step.row, { parts: [], sum: adjoints[result] });
      if (step.kind === "handed") {
        const parts = sums.get(step.row)?.parts ?? [];
        sums.set(step.row, { parts: [...parts, step.handed.product], sum: step.handed.after });
      }
    }
    return { values, sums };
  }
  const sumText = (parts) => parts.map((part, index) => (index ? signed(part) : number(part))).join(" ");

  function sentence() {
    const step = steps[state.step];
    switch (step.kind) {
      case "start":
        return `Start: ${rows.filter((row) => !row.operation).map((row) => `${row.name} = ${number(row.value)}`).join(", ")}. Nothing is computed yet.`;
      case "forward":
        return `Forward: ${called(step.row)} = ${rows[step.row].operation} = ${number(rows[step.row].value)}${step.row === result ? ", which is f" : ""}`;
      case "seed":
        return "Reverse: the sweep starts at f. ∂f/∂f = 1";
      default: {
        const { from, to, adjoint, partial, product, before, after } = step.handed;
        const handed = `Reverse: ${called(from)} hands ${number(adjoint)} × ${inProduct(partial)} = ${number(product)} back to ${called(to)}`;
        return before === null ? `${handed}.` : `${handed}. Something was there already: ${number(before)} ${signed(product)} = ${number(after)}.`;
      }
    }
  }

  // ---- the graph: inputs at the top, each operation below all of its arguments ----

  function drawGraph({ values, sums }) {
    const box = at("graph");
    const width = Math.max(240, box.clientWidth);
    const depths = [];
    rows.forEach((row, index) => { depths[index] = row.operation ? 1 + Math.max(-1, ...row.partials.map(([to]) => depths[to])) : 0; });
    const levels = [];
    depths.forEach((depth, index) => { (levels[depth] ??= []).push(index); });
    const apart = 92;
    /** How far a box reaches above and below the line of its name: value and adjoint stand in it. */
    const [above, below] = [18, 38];
    const top = 26;
    const places = [];
    levels.forEach((level, depth) => level.forEach((index, place) => { places[index] = [(width * (place + 0.5)) / level.length, top + apart * depth]; }));
    const widest = Math.max(...levels.map((level) => level.length));
    const cell = width / widest;
    // Too many side by side to be told apart: the list shows them.
    box.closest(".panel").hidden = cell < 44;
    if (cell < 44) return;
    const half = Math.min(52, cell / 2 - 4);
    const current = steps[state.step];
    const kind = current.kind === "forward" ? "forward" : "reverse";
    const height = top + apart * (levels.length - 1) + below + 8;
    const drawing = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `The graph of the formula, with ${rows.length} nodes: the Wengert list has them in order.` });
    rows.forEach((row, index) => row.partials.forEach(([to], place) => {
      const [x0, y0] = places[to];
      const [x1, y1] = places[index];
      const isSame = row.partials.findIndex(([other]) => other === to) < place;
      const isCurrent = (current.kind === "handed" && current.handed.from === index && current.handed.to === to) || (current.kind === "forward" && current.row === index);
      const bend = isSame ? 26 : 0;
      drawing.append(svg("g", { class: `edge${isCurrent ? ` current ${kind}` : ""}` }, svg("path", { class: "wire", d: `M${x0} ${y0 + below}C${x0 + bend} ${y0 + below + 24} ${x1 + bend} ${y1 - above - 24} ${x1} ${y1 - above}` })));
    }));
    rows.forEach((row, index) => {
      const [x, y] = places[index];
      const isCurrent = current.row === index;
      const group = svg("g", { class: `node${isCurrent ? ` current ${kind}` : ""}${values.has(index) ? " known" : ""}` }, svg("title", {}, row.operation ? `${called(index)} = ${row.operation}` : row.name));
      const rect = (margin, style) => svg("rect", { class: style, x: x - half - margin, y: y - above - margin, width: 2 * (half + margin), height: above + below + 2 * margin, rx: 10 + margin });
      if (isCurrent) group.append(rect(4, "ring"));
      group.append(rect(0, null));
      const label = (dy, style, content) => svg("text", { x, y: y + dy, class: style, "text-anchor": "middle" }, content);
      const length = Math.floor(half / 4);
      const text = row.operation || row.name;
      group.append(label(1, "node-name", text.length > length ? called(index) : text));
      if (values.has(index)) group.append(label(16, "value", number(row.value, cell < 80 ? 3 : 5)));
      if (sums.has(index)) group.append(label(31, "derivative", `∂ ${number(sums.get(index).sum, cell < 80 ? 3 : 5)}`));
      drawing.append(group);
    });
    box.replaceChildren(drawing);
  }

  // ---- the step ----

  function drawProduct() {
    const box = at("product");
    const step = steps[state.step];
    if (step.kind !== "handed") {
      box.replaceChildren(element("p", { class: "note" }, step.kind === "seed" ? "f changes as much as itself: the sweep starts from 1." : "The products begin with the reverse sweep, when f is known."));
      return;
    }
    const { from, to, adjoint, partial, product, before, after } = step.handed;
    const handedOn = element("b", { class: "result" });
    set(handedOn, product);
    box.replaceChildren(
      element("p", { class: "formula" }, "[", derivative(from), "] · ", element("b", {}, `∂${called(from)}/∂${called(to)}`)),
      element("p", { class: "formula figures" }, "= ", element("mark", {}, `[${number(adjoint)}]`), " × ", element("b", {}, inProduct(partial)), " = ", handedOn),
    );
    const sum = element("b", { class: "result", id: "sum" });
    set(sum, after);
    box.append(before === null
      ? element("p", {}, `So far ${derivative(to)} = `, sum, ".")
      : element("p", {}, `${called(to)} is used more than once. ${derivative(to)} = ${number(before)} ${signed(product)} = `, sum, "."));
    box.append(element("p", { class: "note" }, `Here ${called(from)} = ${rows[from].operation}.`));
  }

  function drawGradient({ sums }) {
    const lines = rows.flatMap((row, index) => {
      if (row.operation) return [];
      const value = element("td");
      const known = sums.get(index);
      if (known) set(value, known.sum);
      return [element("tr", {}, element("th", { scope: "row" }, derivative(index)), element("td", { class: "sum" }, known ? sumText(known.parts) : ""), value)];
    });
    at("gradient").replaceChildren(...lines);
  }

  function drawList({ values, sums }) {
    const narrow = matchMedia("(max-width: 44rem)").matches;
    const digits = narrow ? 4 : 6;
    const step = steps[state.step];
    const kind = step.kind === "forward" ? "forward" : "reverse";
    const drawn = rows.map((row, index) => {
      const isCurrent = step.row === index;
      const value = element("td", { class: "value" });
      if (values.has(index)) set(value, row.value, number(row.value, digits));
      const partials = element(narrow ? "div" : "td", { class: "partials" });
      if (values.has(index)) row.partials.forEach(([to, partial]) => partials.append(element("span", { "data-value": partial }, `∂${called(to)} = ${number(partial, digits)}`), " "));
      const adjoint = element("td", { class: "adjoint" });
      if (sums.has(index)) set(adjoint, sums.get(index).sum, number(sums.get(index).sum, digits));
      return element("tr", { class: isCurrent ? `touched ${kind}` : null, "aria-current": isCurrent ? "step" : null },
        element("td", { class: "marker" }, element("span", { "aria-hidden": "true" }, isCurrent ? (kind === "forward" ? "▶" : "◀") : "")),
        element("th", { scope: "row" }, element("span", { class: "number" }, row.number), " ", element("span", { class: "name", title: row.name }, index === result ? "f" : row.name)),
        element("td", { class: "operation" }, element("span", { title: row.operation }, row.operation || "input"), narrow ? partials : null), value, adjoint, narrow ? null : partials);
    });
    at("list").tBodies[0].replaceChildren(...drawn);
    if (step.row === undefined) return;
    const box = at("list").closest(".scroll");
    const row = drawn[step.row];
    const head = at("list").tHead.offsetHeight;
    if (row.offsetTop - head < box.scrollTop) box.scrollTop = row.offsetTop - head - 8;
    else if (row.offsetTop + row.offsetHeight > box.scrollTop + box.clientHeight) box.scrollTop = row.offsetTop + row.offsetHeight - box.clientHeight + 8;
  }

  function drawModes() {
    const { input, tangents } = passes[at("input").value || 0];
    at("forward-symbol").textContent = `forward: ∂node/∂${rows[input].name}`;
    at("modes").replaceChildren(...rows.map((row, index) => {
      const cells = [tangents[index], adjoints[index]].map((value) => {
        const cell = element("td");
        set(cell, value);
        return cell;
      });
      return element("tr", index === result ? { class: "mean" } : {}, element("th", { scope: "row" }, index === result ? `${row.number} f` : called(index)), ...cells);
    }));
  }

  function draw() {
    const now = known();
    const forward = steps.filter((step) => step.kind === "forward").length;
    at("step").closest(".progress").style.setProperty("--share", `${(100 * forward) / (steps.length - 1)}%`);
    at("now").textContent = sentence();
    const { kind } = steps[state.step];
    at("now").className = `now ${kind === "start" ? "" : kind === "forward" ? "forward" : "reverse"}`;
    drawGraph(now);
    drawProduct();
    drawGradient(now);
    drawList(now);
  }

  at("input").append(...passes.map(({ input }, index) => element("option", { value: index }, rows[input].name)));
  at("input").addEventListener("change", drawModes);
  at("shared").textContent = data.shared;
  at("costs").textContent = data.costs;
  drawModes();
  const play = player(state, () => steps.length, draw);
  let width = 0;
  new ResizeObserver(() => {
    if (document.body.clientWidth !== width) {
      width = document.body.clientWidth;
      draw();
    }
  }).observe(document.body);
  play.draw();
})();
