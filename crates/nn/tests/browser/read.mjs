// Opens a report page in Chromium, works it as a reader would, and prints what it read as JSON.
//
//     node read.mjs chain PAGE.html [FOLDER FOR SCREENSHOTS]
//     node read.mjs formula PAGE.html [FOLDER FOR SCREENSHOTS]
//     node read.mjs training PAGE.html [FOLDER FOR SCREENSHOTS]
//
// CHROMIUM names the browser when it is not /usr/bin/chromium.
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [kind, file, folder] = process.argv.slice(2);
if (!["chain", "formula", "training"].includes(kind) || !file) {
  console.error("usage: node read.mjs chain|formula|training PAGE.html [FOLDER]");
  process.exit(2);
}
if (folder) mkdirSync(folder, { recursive: true });
const address = pathToFileURL(resolve(file)).href;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 360, height: 740 };
/** The phones that most people have; and a sheet of A4 between margins of 12 mm. */
const USUAL_PHONE = { width: 390, height: 844 };
const PAPER = { width: 703, height: 1031 };
const isPlayed = kind !== "training";
const found = { errors: [], requests: [] };

try {
  const page = await open({ viewport: DESKTOP });
  found.controls = await controls(page);
  if (kind === "chain") {
    found.opens = await page.evaluate(() => ({
      training: document.querySelector("#training").value,
      epoch: Number(document.querySelector("#epoch-text").dataset.value),
      step: Number(document.querySelector("#step-text").dataset.value),
    }));
  }
  if (kind === "chain") Object.assign(found, await readChain(page));
  else if (kind === "formula") found.steps = await readFormula(page);
  else found.values = await page.$$eval("[data-value]", (cells) => cells.map((cell) => Number(cell.dataset.value)));
  found.contrast = { light: await contrasts(page), dark: [] };
  found.pageWidth = await width(PHONE);
  found.pageWidthDesktop = await width(DESKTOP);
  found.cut = await cutColumns(await open({ viewport: USUAL_PHONE }));
  found.print = await readPrint();
  if (isPlayed) found.speed = await readSpeed();
  if (isPlayed) found.sentence = await readSentence();
  if (kind === "chain") found.texts = await readTexts(page);
  const dark = await open({ viewport: DESKTOP, colorScheme: "dark" });
  if (isPlayed) await toStep(dark, "middle");
  found.contrast.dark = await contrasts(dark);
  if (folder) await screenshots();
} finally {
  await browser.close();
}
console.log(JSON.stringify(found));

/** A page that reports what goes wrong on it and every request but that for itself. */
async function open(options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.on("console", (message) => { if (message.type() === "error" || message.type() === "warning") found.errors.push(message.text()); });
  page.on("pageerror", (error) => found.errors.push(String(error)));
  page.on("request", (request) => { if (request.url() !== address) found.requests.push(request.url()); });
  page.on("requestfailed", (request) => found.errors.push(`failed: ${request.url()}`));
  await page.goto(address);
  return page;
}

/** Role and name of everything that can be operated, as assistive technology is told. */
async function controls(page) {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  const roles = ["button", "slider", "combobox", "img", "region", "image"];
  return nodes
    .filter((node) => !node.ignored && roles.includes(node.role?.value))
    .map((node) => ({ role: node.role.value, name: node.name?.value ?? "" }));
}

/** Every training, sample and a few epochs, each read after every step; by buttons, by keys and by the slider in turn. */
async function readChain(page) {
  const readings = [];
  const trainings = await page.locator("#training option").count();
  const ways = ["button", "key", "slider"];
  let way = 0;
  for (let training = 0; training < trainings; training++) {
    await page.selectOption("#training", String(training));
    const samples = await page.locator("#sample option").count();
    const last = Number(await page.getAttribute("#epoch", "max"));
    for (let sample = 0; sample < samples; sample++) {
      await page.selectOption("#sample", String(sample));
      // The first sample at several epochs, the others at the last one.
      for (const epoch of sample === 0 ? new Set([0, Math.floor(last / 2), last]) : [last]) {
        await slide(page, "#epoch", epoch);
        readings.push(await readSteps(page, { training, sample, way: ways[way++ % 3] }));
      }
    }
  }
  return { readings, keyboard: await readKeyboard(page), playing: await readPlaying(page) };
}

async function readSteps(page, { training, sample, way }) {
  if (await page.getAttribute("#first", "aria-disabled") !== "true") await page.click("#first");
  const count = Number(await page.getAttribute("#step", "max"));
  const steps = [await readStep(page)];
  for (let step = 1; step <= count; step++) {
    if (way === "button") await page.click("#next");
    else if (way === "key") await page.keyboard.press("ArrowRight");
    else await page.press("#step", "ArrowRight");
    steps.push(await readStep(page));
  }
  const predictions = await page.$$eval(".results:not([hidden]) .predicted", (cells) => cells.map((cell) => Number(cell.dataset.value)));
  const epoch = await page.$eval("#epoch-text", (text) => ({ number: Number(text.dataset.value), loss: Number(text.dataset.loss) }));
  return { training, sample, way, epoch: epoch.number, loss: epoch.loss, steps, predictions };
}

/** What the page shows at the current step. Text is what is visible, numbers are the cells' full-precision ones. */
function readStep(page) {
  return page.evaluate(() => {
    const number = (node) => (node?.dataset.value === undefined ? null : Number(node.dataset.value));
    const rows = [...document.querySelectorAll("#list tbody tr")].map((row) => ({
      number: row.querySelector(".number").innerText,
      name: row.querySelector(".name").innerText.trim(),
      operation: row.querySelector(".operation").innerText.trim(),
      value: number(row.querySelector(".value")),
      partials: [...row.querySelectorAll(".partials span")].map(number),
      adjoint: number(row.querySelector(".adjoint")),
      current: row.getAttribute("aria-current") === "step",
    }));
    const counts = document.querySelector("#counts");
    return {
      step: number(document.querySelector("#step-text")),
      now: document.querySelector("#now").innerText,
      rows,
      symbols: document.querySelector("#symbols")?.innerText ?? null,
      reused: document.querySelector("#symbols mark")?.innerText ?? null,
      result: number(document.querySelector("#product .result")),
      counts: counts && { text: counts.innerText, reused: Number(counts.dataset.reused) },
      gradient: [...document.querySelectorAll("#gradient tr")].filter((row) => row.querySelector("th")).map((row) => ({
        symbol: row.querySelector("th").innerText,
        factors: Number(row.children[1].innerText),
        value: number(row.lastElementChild),
      })),
      tally: document.querySelector("#tally").innerText,
      drawing: [...document.querySelectorAll("#network text")].map((text) => text.textContent),
    };
  });
}

/** End, Home and the arrows as a reader without a mouse uses them; the focus must not get lost. */
async function readKeyboard(page) {
  const step = () => page.$eval("#step-text", (text) => Number(text.dataset.value));
  const seen = {};
  await page.focus("#next");
  await page.keyboard.press("End");
  seen.end = await step();
  seen.focus = await page.evaluate(() => document.activeElement.id);
  await page.keyboard.press("ArrowLeft");
  seen.left = await step();
  await page.keyboard.press("Home");
  seen.home = await step();
  await page.keyboard.press("ArrowRight");
  seen.right = await step();
  await page.keyboard.press("Tab");
  seen.tab = await page.evaluate(() => document.activeElement.id);
  seen.outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  return seen;
}

async function readPlaying(page) {
  const label = () => page.getAttribute("#play", "aria-label");
  const step = () => page.$eval("#step-text", (text) => Number(text.dataset.value));
  if (await page.getAttribute("#first", "aria-disabled") !== "true") await page.click("#first");
  const before = await label();
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press("Space");
  const during = await label();
  await page.waitForFunction(() => Number(document.querySelector("#step-text").dataset.value) >= 2, null, { timeout: 10_000 });
  await page.keyboard.press("Space");
  const reached = await step();
  return { before, during, after: await label(), reached };
}

/** On a phone: whether the sentence of the step stands above the player; and, scrolled as far as the list, whether the sentence of the step is in sight with the player. */
async function readSentence() {
  const page = await open({ viewport: USUAL_PHONE });
  await toStep(page, "last");
  const above = await page.evaluate(() => document.querySelector("#now").getBoundingClientRect().bottom < document.querySelector(".player").getBoundingClientRect().top);
  const seen = [above];
  for (const place of [".left", "#product", "#list"]) {
    seen.push(await page.evaluate((place) => {
      document.querySelector(place).scrollIntoView();
      const box = document.querySelector("#now").getBoundingClientRect();
      const top = document.elementFromPoint((box.left + box.right) / 2, (box.top + box.bottom) / 2);
      return box.top >= 0 && box.bottom <= innerHeight / 2 && top?.id === "now";
    }, place));
  }
  return seen;
}

/** What stands below the stepper, at the first and the last epoch of each training and at its lowest loss. */
async function readTexts(page) {
  const texts = [];
  const trainings = await page.locator("#training option").count();
  for (let training = 0; training < trainings; training++) {
    await page.selectOption("#training", String(training));
    await page.selectOption("#sample", "0");
    const last = Number(await page.getAttribute("#epoch", "max"));
    for (const epoch of [0, "kept", last]) {
      if (epoch === "kept") await page.click("#kept");
      else await slide(page, "#epoch", epoch);
      texts.push(await page.evaluate(() => {
        const text = (id) => document.getElementById(id).innerText;
        const numbers = [...document.querySelectorAll("#nudge b, #nudge-derivative b")].map((bold) => Number(bold.dataset.value));
        return {
          epoch: Number(document.getElementById("epoch-text").dataset.value),
          weightsOf: text("weights-of"), change: numbers[0], predicted: numbers[1], nudge: text("nudge"), why: text("nudge-note"),
          twice: text("twice"), rule: text("rule"), reading: text("move-reading"), end: text("move-loss"),
        };
      }));
    }
  }
  return texts;
}

/** How many steps are made at each speed while a step lasts at speed 1. The clock is the test's own. */
async function readSpeed() {
  const context = await browser.newContext({ viewport: DESKTOP });
  const page = await context.newPage();
  await page.clock.install();
  await page.goto(address);
  const step = () => page.$eval("#step-text", (text) => Number(text.dataset.value));
  const speeds = await page.$$eval("#speed option", (options) => options.map((option) => option.value));
  const made = {};
  await page.click("#play");
  for (const speed of speeds.filter((speed) => Number(speed) >= 1 && Number(speed) <= 4)) {
    await page.selectOption("#speed", speed);
    const before = await step();
    await page.clock.runFor(1400);
    made[speed] = (await step()) - before;
  }
  return made;
}

/** Every training, at the last step, with all that can be unfolded: what is wider than its place. */
async function cutColumns(page) {
  const cut = [];
  const trainings = kind === "chain" ? await page.locator("#training option").count() : 1;
  for (let training = 0; training < trainings; training++) {
    if (kind === "chain") await page.selectOption("#training", String(training));
    if (isPlayed) await toStep(page, "last");
    await page.$$eval("details", (all) => all.forEach((details) => { details.open = true; }));
    cut.push(...await page.evaluate(overflowing, { training, sideways: true }));
  }
  return cut;
}

/** In the browser: which visible elements are wider (and, unless only sideways, higher) than what shows of them. A matrix may
 *  have as many columns as it likes, and scrolls. */
function overflowing({ training, sideways }) {
  const visible = [...document.querySelectorAll("body *")].filter((node) => node.getClientRects().length && !node.closest(".hidden") && !(sideways && node.closest(".matrix")));
  const isCut = (node) => {
    const { overflowX, overflowY } = getComputedStyle(node);
    const wide = node.scrollWidth > node.clientWidth + 1 && overflowX !== "visible";
    const high = !sideways && node.scrollHeight > node.clientHeight + 1 && overflowY !== "visible";
    const outside = node.getBoundingClientRect().right > document.documentElement.clientWidth + 1 && !node.closest(".chart, .names");
    return node.clientWidth > 0 && !["SELECT", "INPUT"].includes(node.tagName) && node.dataset.mayCut === undefined && (wide || high || outside);
  };
  return visible.filter(isCut).map((node) => `${training}: ${node.tagName} ${node.id} ${node.getAttribute("class") ?? ""} ${node.scrollWidth} > ${node.clientWidth}, "${node.textContent.slice(0, 20)}"`);
}

/** On paper: what is cut off, what of the controls shows, and what of the list is empty. */
async function readPrint() {
  const page = await open({ viewport: PAPER });
  const print = { cut: [], controls: [], empty: 0, steps: [] };
  await page.emulateMedia({ media: "print" });
  const trainings = kind === "chain" ? await page.locator("#training option").count() : 1;
  for (let training = 0; training < trainings; training++) {
    if (kind === "chain") await page.$eval("#training", (select, value) => { select.value = value; select.dispatchEvent(new Event("change")); }, String(training));
    await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    print.cut.push(...await page.evaluate(overflowing, { training, sideways: false }));
    print.controls.push(...await page.$$eval("button, select, input", (all) => all.filter((control) => control.getClientRects().length).map((control) => control.id)));
    if (isPlayed) print.empty += await page.$$eval("#list .value", (cells) => cells.filter((cell) => cell.dataset.value === undefined).length);
    await page.evaluate(() => dispatchEvent(new Event("afterprint")));
    if (isPlayed) print.steps.push(await page.$eval("#step-text", (text) => Number(text.dataset.value)));
  }
  if (folder) await page.screenshot({ path: join(folder, `${kind}-print.png`), fullPage: true });
  return print;
}

/** What the page of a formula shows after each step. */
async function readFormula(page) {
  const steps = [];
  const count = Number(await page.getAttribute("#step", "max"));
  for (let step = 0; step <= count; step++) {
    if (step > 0) await page.click("#next");
    steps.push(await page.evaluate(() => {
      const number = (node) => (node?.dataset.value === undefined ? null : Number(node.dataset.value));
      return {
        now: document.querySelector("#now").innerText,
        sum: number(document.querySelector("#sum")),
        rows: [...document.querySelectorAll("#list tbody tr")].map((row) => ({
          name: row.querySelector(".name").innerText.trim() || row.querySelector(".number").innerText,
          value: number(row.querySelector(".value")),
          adjoint: number(row.querySelector(".adjoint")),
        })),
        gradient: [...document.querySelectorAll("#gradient tr")].map((row) => number(row.lastElementChild)),
        forward: number([...document.querySelectorAll("#modes tr")].at(-1).children[1]),
      };
    }));
  }
  return steps;
}

async function slide(page, selector, value) {
  await page.$eval(selector, (slider, value) => {
    slider.value = value;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
  }, value);
}

async function toStep(page, which) {
  const last = Number(await page.getAttribute("#step", "max"));
  const forward = await page.$eval(".progress", (progress) => parseFloat(progress.style.getPropertyValue("--share")) / 100) * last;
  await slide(page, "#step", which === "middle" ? Math.round((forward + last) / 2) : which === "forward" ? Math.ceil(forward / 2) : last);
}

/** How wide the page's content is on a screen of this size. */
async function width(viewport) {
  const page = await open({ viewport });
  if (isPlayed) await toStep(page, "last");
  return page.evaluate(() => document.documentElement.scrollWidth);
}

/** Text whose contrast with what is behind it is below 4.5 to 1 (WCAG 2.2, success criterion 1.4.3). */
function contrasts(page) {
  return page.evaluate(() => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const rgba = (color) => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
      return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const luminance = (color) => {
      const [r, g, b] = color.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (node) => {
      for (let at = node; at; at = at.parentElement) {
        const color = rgba(getComputedStyle(at).backgroundColor);
        if (color[3] === 255) return color;
      }
      return [255, 255, 255, 255];
    };
    const low = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode.parentElement;
      if (!walker.currentNode.data.trim() || !node.getClientRects().length || ["SCRIPT", "STYLE", "TITLE", "DESC", "OPTION"].includes(node.tagName.toUpperCase())) continue;
      const style = getComputedStyle(node);
      const color = rgba(node instanceof SVGElement ? style.fill : style.color);
      const [a, b] = [luminance(color.slice(0, 3)), luminance(behind(node).slice(0, 3))].sort((x, y) => y - x);
      const ratio = (a + 0.05) / (b + 0.05);
      if (ratio < 4.5) low.push(`${ratio.toFixed(2)}: ${node.tagName} ${node.getAttribute("class") ?? ""} "${walker.currentNode.data.trim().slice(0, 30)}"`);
    }
    return low;
  });
}

/** In the middle of the forward pass, in the middle of the sweep and in the end, for each training. */
async function screenshots() {
  const tall = { width: PHONE.width, height: 1500 };
  const looks = { light: { viewport: DESKTOP }, dark: { viewport: DESKTOP, colorScheme: "dark" }, phone: { viewport: tall }, "phone-dark": { viewport: tall, colorScheme: "dark" } };
  for (const [name, options] of Object.entries(looks)) {
    const page = await open({ ...options, reducedMotion: "reduce" });
    const trainings = kind === "chain" ? await page.locator("#training option").count() : 1;
    for (let training = 0; training < trainings; training++) {
      if (kind === "chain") await page.selectOption("#training", String(training));
      for (const step of isPlayed ? ["forward", "middle", "last"] : ["whole"]) {
        if (isPlayed) await toStep(page, step);
        const path = (part) => join(folder, [kind, name, training, step, part].join("-") + ".png");
        if (options.viewport === DESKTOP) {
          await page.screenshot({ path: path("page"), fullPage: true });
          continue;
        }
        // A screenshot of the full page has gaps where boxes scroll.
        for (const part of [0, 1, 2]) {
          await page.evaluate((y) => scrollTo(0, y), part * (tall.height - 150));
          await page.screenshot({ path: path(part) });
        }
        await page.evaluate(() => scrollTo(0, 0));
      }
    }
  }
}
