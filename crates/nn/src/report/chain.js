// Shows what the engine computed: it picks, rounds and places numbers, and computes none.
(() => {
  // Edges between long names are called a->b: on the page with an arrow, which no line break divides.
  const arrows = (key, value) => (typeof value === "string" ? value.replaceAll("->", "→") : value);
  const trainings = JSON.parse(document.getElementById("data").textContent, arrows);
  const state = { training: 0, sample: 0, epoch: 0, step: 0, parameter: 0 };

  // ---- what is chosen ----

  const training = () => trainings[state.training];
  const snapshot = () => training().snapshots[state.epoch];
  const numbers = () => snapshot().numbers[state.sample];
  const step = () => training().steps[state.step];
  const isProduct = (step) => step.kind === "derivative" || step.kind === "adjoint";

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

  /** A product: what is known of it, whose derivative that is, and the one factor that comes to it. */
  function parts(step, index) {
    const { nodes, loss } = training();
    return {
      symbols: training().path.slice(0, step.path).map((factor) => factor.symbol),
      own: step.own.symbol,
      known: `∂${loss}/∂${nodes[nodes.length - step.path]}`,
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
        const { symbols, own, from, ownValue, result } = parts(current, state.step);
        const [open, close] = current.reused ? ["[", "]"] : ["", ""];
        const back = current.kind === "adjoint" ? ", handed back for all that lies further left" : "";
        return `Reverse: ${current.symbol} = ${open}${elided(symbols).join("·")}${close}·${own} = ${open}${number(from)}${close} × ${ownValue} = ${number(result)}${back}`;
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
      width: plan.width, height: plan.height, viewBox: `0 0 ${plan.width} ${plan.height}`, class: plan.cell < 70 ? "narrow" : plan.names > 4 ? "long" : null,
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
        set(result, numbers().path[0]);
        box.append(element("p", { class: "formula figures" }, "= ", result));
        box.append(element("p", { class: "note" }, "Why 2 times the miss: 10² is 100 and 10.01² is 100.2001, so 0.01 more makes the square 2·10·0.01 larger, and a little. Every derivative below begins with this factor."));
      } else {
        box.append(element("p", { class: "note" }, "The products begin with the reverse sweep, when the loss is known."));
      }
      return;
    }
    const { symbols, own, known, ownValue, from, result } = parts(current, state.step);
    const product = symbols.flatMap((item, i) => (i ? ["·", document.createElement("wbr"), item] : [item]));
    const bracket = (...inside) => (current.reused ? element("mark", {}, "[", ...inside, "]") : element("span", {}, ...inside));
    box.append(element("p", { class: "formula", id: "symbols" }, `${current.symbol} = `, bracket(...product), "·", document.createElement("wbr"), element("b", {}, own)));
    const value = element("b", { class: "result", id: "result" });
    set(value, result);
    box.append(element("p", { class: "formula figures", id: "figures" }, "= ", bracket(number(from)), " × ", document.createElement("wbr"), element("b", {}, ownValue), " ", element("span", { class: "together" }, "= ", value)));
    const bracketIs = current.reused ? `[ ] is ${known}, known from before: ${number(from)}. ` : "";
    const slope = current.own.formula.includes("′") ? ` ${training().slopes}` : "";
    box.append(element("p", { class: "note" }, `${bracketIs}Here ${current.own.symbol} = ${current.own.formula}.${slope}`));
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
      set(value, numbers().adjoints[last(step.rows)]);
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
    const narrow = matchMedia("(max-width: 44rem)").matches;
    const digits = narrow ? 4 : 6;
    const drawn = rows.map((row, index) => {
      const isCurrent = index === currentRow;
      const value = element("td", { class: "value" });
      if (values.has(index)) set(value, numbers().values[index], number(numbers().values[index], digits));
      // Where there is no room for a column of their own, the partials stand below the operation.
      const partials = element(narrow ? "div" : "td", { class: "partials" });
      if (values.has(index)) {
        row.arguments.forEach((argument, place) => {
          const value = numbers().partials[index][place];
          partials.append(element("span", { "data-value": value }, `∂${argument} = ${number(value, digits)}`), " ");
        });
      }
      const adjoint = element("td", { class: "adjoint" });
      if (adjoints.has(index)) set(adjoint, numbers().adjoints[index], number(numbers().adjoints[index], digits));
      else if (row.operation === "constant") adjoint.append(element("span", { title: "a constant: nothing is derived with respect to it" }, "–"));
      const mark = isCurrent ? (kind === "forward" ? "▶" : "◀") : "";
      return element("tr", { class: `${touched.has(index) ? `touched ${kind}` : ""}`, "aria-current": isCurrent ? "step" : null },
        element("td", { class: "marker" }, element("span", { "aria-hidden": "true" }, mark)),
        element("th", { scope: "row" }, element("span", { class: "number" }, row.number), " ", element("span", { class: "name", title: row.name }, row.name)),
        element("td", { class: "operation" }, element("span", { title: row.operation }, row.operation), narrow ? partials : null), value, adjoint, narrow ? null : partials);
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
    const change = (selector, attributes) => built(results.querySelector(selector), attributes, []);
    change(".epoch-line", { d: `M${x} 12V196` });
    change(".epoch-mark", { cx: x, cy: y });
    change("[data-fit]", { d: curve });
    const crosses = results.querySelectorAll(".chart .prediction");
    const rows = results.querySelectorAll(".predictions tbody tr");
    predictions.forEach(([prediction, error, height], index) => {
      crosses[index].setAttribute("transform", `translate(${crosses[index].dataset.x} ${height})`);
      set(rows[index].querySelector(".predicted"), prediction);
      set(rows[index].querySelector(".error"), error);
    });
  }

  // ---- what derivatives are for ----

  function drawCosts() {
    const { point, multiplications, passes, parameters, twice } = training();
    const [sweep, alone] = multiplications;
    at("point").textContent = point;
    const all = parameters.length === 1 ? "The one derivative takes" : `All ${parameters.length} derivatives of this chain together take`;
    at("counts-all").textContent = `${all} ${sweep} multiplication${sweep === 1 ? "" : "s"} by the sweep. Each multiplied out on its own: ${alone}.`;
    at("passes").textContent = passes;
    at("twice").textContent = twice;
  }

  function drawNudge() {
    const { parameters, loss } = training();
    const [symbol, row] = parameters[state.parameter];
    const { nudges, values, adjoints } = numbers();
    const { checks, agrees } = nudges[state.parameter];
    const [by, after, change, predicted] = last(checks);
    const size = decimal(by);
    const shown = (value) => { const bold = element("b"); set(bold, value); return bold; };
    at("nudge").replaceChildren(`Make ${symbol} larger by ${size} and compute ${loss} again: it goes from ${number(last(values))} to ${number(after)}. It changes by `, shown(change), ".");
    at("nudge-derivative").replaceChildren(`The derivative says: ${size} × ∂${loss}/∂${symbol} = ${size} × ${inProduct(adjoints[row])} = `, shown(predicted), ".");
    const [[first, , tooFar, promised]] = checks;
    at("nudge-note").textContent = !agrees
      ? `The two differ, at smaller sizes too: the derivative is 0, or so near that the bend of the curve of ${loss}, or rounding, outweighs it.`
      : checks.length === 1
        ? "The two agree the better, the smaller the change: along the way the derivative itself changes a little."
        : `Why so small? Larger by ${decimal(first)}, ${loss} changes by ${number(tooFar)}, where the derivative says ${number(promised)}: the curve of ${loss} bends, and so far away the derivative no longer holds. ${size} is the largest power of ten at which the two differ by less than a hundredth.`;
  }

  function drawStep() {
    const { parameters, loss, samples, nodes, of, rule, first, rate, taken, snapshots, kept } = training();
    const { epoch, mean, cancels, rests, step, loss: before } = snapshot();
    const [symbol, row] = parameters[state.parameter];
    const derivative = `∂${loss}/∂${symbol}`;
    at("step-mean").textContent = of === 1
      ? `There is one sample: its loss ${loss} is what training makes smaller.`
      : `Above, ${loss} is the loss of one sample. Training makes the mean of ${loss} over all ${of} samples smaller. The derivative of a mean is the mean of the derivatives:`;
    at("by-symbol").textContent = derivative;
    const line = (name, value, attributes = {}) => {
      const cell = element("td");
      set(cell, value);
      return element("tr", attributes, element("th", { scope: "row" }, name), cell);
    };
    const rows = samples.map(([input], index) => line(`${nodes[0]} = ${number(input)}`, snapshot().numbers[index].adjoints[row]));
    if (of > samples.length) rows.push(element("tr", {}, element("td", { colspan: 2, class: "empty" }, `and ${of - samples.length} samples more`)));
    at("by-sample").replaceChildren(...rows, line("mean of all", mean[state.parameter], { class: "mean" }));
    at("cancels").hidden = !cancels;
    at("cancels").textContent = rests
      ? "No single derivative is 0, yet the mean is, or nearly: the samples pull in different directions and cancel. No step makes the mean loss smaller any more. Training has come to rest."
      : "No single derivative is 0, yet the mean is small beside them: the samples pull in different directions and nearly cancel.";
    at("rule").textContent = epoch === 0 && first ? `${rule} ${first}` : rule;
    at("move-reading").hidden = !step;
    at("rule").hidden = !step;
    at("move-numbers").hidden = !step;
    if (step) {
      const now = numbers().values[row];
      const after = element("b", { class: "result" });
      set(after, step.after[state.parameter]);
      at("move").textContent = `${symbol} ← ${symbol} − ${taken.replace("{}", derivative)}`;
      const change = rate === null ? signed(step.change[state.parameter]) : `− ${decimal(rate)} × ${inProduct(mean[state.parameter])}`;
      at("move-numbers").replaceChildren(`= ${number(now)} ${change} `, element("span", { class: "together" }, "= ", after));
      const [from, to] = [number(before), number(step.loss)];
      const goes = from !== to ? `goes from ${from} to ${to}` : step.fall === 0 ? `stays at ${from}` : `stays near ${from}: it is ${number(Math.abs(step.fall))} ${step.fall > 0 ? "smaller" : "larger"}`;
      at("move-loss").textContent = `All parameters move at once. The mean loss ${goes}. Move the epoch on and see.`;
    } else {
      at("move").textContent = "";
      const best = snapshots[kept].epoch;
      at("move-loss").textContent = `This is the last epoch: the training has ended here and makes no step more. ${best === epoch ? "It keeps these parameters" : `It keeps the parameters of epoch ${best}`}: their loss is the lowest.`;
    }
    at("moves").replaceChildren(...parameters.map(([symbol, row], index) => {
      const cells = [numbers().values[row], mean[index], step ? step.after[index] : null].map((value, place) => {
        const cell = element("td");
        if (place === 2 && !step) cell.textContent = "–";
        else set(cell, value, number(value, 5));
        return cell;
      });
      return element("tr", {}, element("th", { scope: "row" }, symbol), ...cells);
    }));
  }
  /** A small size as a decimal: 0.00001 says more than 1e−5. */
  const decimal = (size) => (size < 1e-9 ? number(size) : minus(size.toFixed(12).replace(/\.?0+$/, "")));

  function drawModes() {
    const { nodes, loss, parameters, links, rows } = training();
    const { tangents, adjoints } = numbers();
    at("forward-symbol").textContent = `forward: ∂node/∂${parameters[0][0]}`;
    at("reverse-symbol").textContent = `reverse: ∂${loss}/∂node`;
    const lines = tangents.map((tangent, index) => {
      const isLoss = index === links.length;
      const cells = [tangent, isLoss ? last(adjoints) : adjoints[links[index].node]].map((value) => {
        const cell = element("td");
        set(cell, value);
        return cell;
      });
      return element("tr", isLoss ? { class: "mean" } : {}, element("th", { scope: "row" }, isLoss ? loss : nodes[index + 1]), ...cells);
    });
    at("modes").replaceChildren(...lines);
  }

  // ---- all of it ----

  function draw() {
    const known = filled();
    const steps = training().steps.length;
    const stage = snapshot();
    const forward = training().steps.filter((step) => step.kind === "forward").length;
    at("step").closest(".progress").style.setProperty("--share", `${(100 * forward) / (steps - 1)}%`);
    at("epoch").value = state.epoch;
    at("epoch").setAttribute("aria-valuetext", `epoch ${stage.epoch}, mean loss ${number(stage.loss)}`);
    set(at("epoch-text"), stage.epoch, `${stage.epoch}, mean loss ${number(stage.loss)}`);
    at("epoch-text").dataset.loss = String(stage.loss);
    const [input, target] = training().samples[state.sample];
    at("shown").textContent = `Training ${training().name}, epoch ${stage.epoch}; ${training().nodes[0]} = ${number(input)}, ${last(training().nodes)} should be ${number(target)}.`;
    at("weights-of").textContent = stage.epoch === 0 ? "before the training" : `after epoch ${stage.epoch}`;
    at("now").textContent = sentence();
    at("now").className = `now ${step().kind === "start" ? "" : step().kind === "forward" ? "forward" : "reverse"}`;
    drawNetwork(at("network"), known);
    drawProduct();
    drawGradient();
    drawList(known);
    drawNudge();
    drawStep();
    drawModes();
    drawResults();
  }
  const steps = player(state, () => training().steps.length, draw);

  function choose(index) {
    state.training = index;
    state.sample = Math.min(state.sample, training().samples.length - 1);
    state.epoch = 0;
    state.step = Math.min(state.step, training().steps.length - 1);
    state.parameter = 0;
    at("epoch").max = training().snapshots.length - 1;
    const { nodes } = training();
    at("sample").replaceChildren(...training().samples.map(([input, target], i) =>
      element("option", { value: i }, `${nodes[0]} = ${number(input)}, ${last(nodes)} should be ${number(target)}`)));
    at("sample").value = state.sample;
    at("weight").replaceChildren(...training().parameters.map(([symbol], i) => element("option", { value: i }, symbol)));
    drawCosts();
    steps.draw();
  }

  at("training").append(...trainings.map(({ name }, i) => element("option", { value: i }, name)));
  at("training").addEventListener("change", (event) => { steps.stop(); choose(Number(event.target.value)); });
  at("sample").addEventListener("change", (event) => { state.sample = Number(event.target.value); draw(); });
  at("epoch").addEventListener("input", (event) => { state.epoch = Number(event.target.value); draw(); });
  at("kept").addEventListener("click", () => { state.epoch = training().kept; draw(); });
  at("weight").addEventListener("change", (event) => { state.parameter = Number(event.target.value); draw(); });
  let width = 0;
  new ResizeObserver(() => {
    if (at("network").clientWidth !== width) {
      width = at("network").clientWidth;
      draw();
    }
  }).observe(at("network"));
  choose(0);
})();
