import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildExplorer } from '../../site/build.js';
import type { Inspection } from '../../src/cli/inspect/inspection.js';
import type { inspectionJson } from '../../src/cli/inspect/json.js';
import { shortNumber } from '../../src/cli/inspect/signs.js';
import { openDevice } from '../../src/device/adapters.js';
import { bitsOf, Evaluator } from '../../src/model/evaluator.js';
import { initialParameters } from '../../src/model/parameters.js';
import { embed } from '../../src/substrate/embed.js';
import { readCheckpoint, writeCheckpoint } from '../../src/train/checkpoint.js';
import { MOBY_DICK } from '../../web/lib/defaultText.js';
import { LiveTraining } from '../../web/lib/liveTraining.js';
import { newPage, openBrowser, screenshotPath } from '../support/browser.js';
import { cli } from '../support/cli.js';
import { TINY } from '../support/decoders.js';
import { sine, wav } from '../support/media.js';

const folder = mkdtempSync(join(tmpdir(), 'byte-to-loss-web-'));
const at = (name: string) => join(folder, name);
const TEXT = 'Call me Ishmael. Some years ago, é';
const L = 12;

/** What the page leaves for the console. */
interface Console {
  byteToLoss: {
    ids: Uint32Array;
    model: { trained?: boolean };
    channels: Float32Array;
    bits: number[];
    bitsPerByte: number;
    attention: { weights: Float64Array }[];
    S: number;
  };
  byteToLossStep: Inspection;
  byteToLossTraining: { losses: number[] };
}

let browser: Browser;
let page: Page;
const address = pathToFileURL(at('page/index.html')).href;
/** Uncaught errors of the page, and what it logged as one. */
const errors: string[] = [];

async function openPage(): Promise<Page> {
  const opened = await newPage(browser);
  opened.on('pageerror', ({ message }) => errors.push(message));
  opened.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  return opened;
}

beforeAll(async () => {
  await buildExplorer(at('page'));
  const parameters = initialParameters(TINY, 7);
  const zeros = new Map([...parameters].map(([name, { length }]) => [name, new Float32Array(length)]));
  const info = { config: TINY, step: 5, seed: 7, prefix: 32, stream: 32 };
  writeCheckpoint(at('fixed.safetensors'), { ...info, parameters }, { m: zeros, v: zeros });
  browser = await openBrowser();
  page = await openPage();
  await page.addInitScript({ path: createRequire(import.meta.url).resolve('axe-core') });
  await page.goto(address);
  // Nothing below works without a device: should none come, the whole file fails at once.
  await page.waitForSelector('#device[data-device="wasm"]');
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

/** Wait for a forward pass of the page that fits. */
async function settled(fits: string): Promise<void> {
  await page.waitForFunction(`(() => { const now = globalThis.byteToLoss; return now !== undefined && (${fits}); })()`);
}

test('is one file that asks the network for nothing, and small', async () => {
  const html = readFileSync(at('page/index.html'), 'utf8');
  expect(html).not.toMatch(/<(script|link|img)[^>]+(src|href)=/);
  expect(html.length).toBeLessThan(2_500_000);
});

test('opens on the trained decoder: it expects the text, its heads differ, and it is compared with an untrained one', async () => {
  await settled('now.model.trained');
  const { bits, heads } = await page.evaluate(() => {
    const { bitsPerByte, attention } = (globalThis as unknown as Console).byteToLoss;
    return { bits: bitsPerByte, heads: attention.map(({ weights }) => [...weights]) };
  });
  expect(bits).toBeLessThan(3);
  const apart = (a: number[], b: number[]) =>
    a.reduce((most, weight, i) => Math.max(most, Math.abs(weight - b[i]!)), 0);
  for (const [i, head] of heads.entries())
    for (const other of heads.slice(0, i)) expect(apart(head, other)).toBeGreaterThan(0.1);
  await page.getByRole('button', { name: 'Side by side' }).click();
  expect(Number(await page.textContent('#second output'))).toBeGreaterThan(7);
  // three yardsticks and two decoders; three and the card's
  expect(await page.locator('.baselines tr').count()).toBe(9);
  await page.getByRole('button', { name: 'Trained' }).click();
  await page.waitForFunction(() => document.querySelector('#second') === null);
});

test('writes the likeliest byte, which it then expects', async () => {
  await page.getByLabel(/^temperature/).fill('0');
  const length = await page.evaluate(() => (globalThis as unknown as Console).byteToLoss.ids.length);
  await page.getByRole('button', { name: 'Write a byte' }).click();
  await settled(`now.ids.length === ${length + 1}`);
  const last = await page.evaluate(() => (globalThis as unknown as Console).byteToLoss.bits.at(-1)!);
  expect(last).toBeLessThan(2); // the likeliest of 258
});

test('takes the CPU device where the WebGPU of the browser is a software driver, and says so', async () => {
  expect(await page.textContent('#without-webgpu')).toContain(
    "This browser's WebGPU is a software driver, swiftshader",
  );
});

describe('a fixed checkpoint and text', () => {
  test('give the channels and the loss that Node gives', async () => {
    await page.setInputFiles('input[type=file]', at('fixed.safetensors'));
    await page.fill('textarea >> nth=0', TEXT);
    await page.fill('input[type=range]', String(L));
    await settled(`now.model.name.startsWith('fixed.safetensors') && now.ids.length === 35 && now.L === ${L}`);
    const found = await page.evaluate(() => {
      const { channels, bits, bitsPerByte } = (globalThis as unknown as Console).byteToLoss;
      return { channels: [...channels], bits, bitsPerByte };
    });

    const bytes = new TextEncoder().encode(TEXT);
    expect(found.channels).toEqual([...embed(bytes).features]); // to the bit
    const { config, parameters } = readCheckpoint(at('fixed.safetensors'));
    const T = bytes.length - L;
    const evaluator = await Evaluator.create(
      await openDevice({ device: 'cpu' }),
      config,
      { B: 1, L, T },
      { parameters },
    );
    const nats = await evaluator.nats({
      prefix: Uint32Array.from(bytes.subarray(0, L)),
      targets: Uint32Array.from(bytes.subarray(L)),
      weights: new Float32Array(T).fill(1),
    });
    evaluator.free();
    const bits = Array.from(nats, bitsOf);
    expect(bits.length).toBe(T);
    for (const [t, b] of bits.entries()) expect(found.bits[t]).toBeCloseTo(b, 5);
    const mean = bits.reduce((sum, b) => sum + b, 0) / T;
    expect(found.bitsPerByte).toBeCloseTo(mean, 6);
    expect(await page.textContent('#bits-per-byte')).toBe(mean.toFixed(3));
  });

  test('a changed character changes the loss', async () => {
    const before = await page.textContent('#bits-per-byte');
    await page.fill('textarea >> nth=0', TEXT.replace('years', 'yearz'));
    await settled(`String.fromCharCode(...now.ids).includes('yearz')`);
    expect(await page.textContent('#bits-per-byte')).not.toBe(before);
  });

  test('the chosen byte moves by keyboard, and its numbers with it', async () => {
    const bytes = page.getByRole('slider', { name: 'Chosen byte' });
    await bytes.focus();
    await page.keyboard.press('Home');
    expect(await bytes.getAttribute('aria-valuetext')).toBe('byte 1 of 35: C (hex 43), comes before');
    for (let i = 0; i < L; i++) await page.keyboard.press('ArrowRight');
    expect(await bytes.getAttribute('aria-valuetext')).toMatch(/^byte 13 of 35: a \(hex 61\), \d+\.\d\d bits$/);
    expect(await page.textContent('.detail')).toContain('hex 61, 01100001');
  });
});

describe('files that are no checkpoint give a message, and the decoder stays', () => {
  const refuses = async (name: string, content: Uint8Array | string, message: RegExp) => {
    writeFileSync(at(name), content);
    await page.setInputFiles('input[type=file]', at(name));
    const alert = page.locator('#problem');
    await alert.waitFor();
    expect(await alert.textContent()).toMatch(message);
    expect(await page.textContent('.facts:has(#bits-per-byte)')).toContain('fixed.safetensors, after 5 steps');
  };
  test('one changed bit', async () => {
    const bytes = readFileSync(at('fixed.safetensors'));
    bytes[bytes.length - 5]! ^= 1;
    await refuses('changed.safetensors', bytes, /^changed\.safetensors: has changed.*checksum/);
  });
  test('cut short', () =>
    refuses(
      'cut.safetensors',
      readFileSync(at('fixed.safetensors')).subarray(0, 9999),
      /^cut\.safetensors: truncated/,
    ));
  test('text, dropped on the page', async () => {
    await page.evaluate(() => {
      const data = new DataTransfer();
      data.items.add(new File(['not a checkpoint at all'], '<b>notes.txt'));
      window.dispatchEvent(new DragEvent('drop', { dataTransfer: data, cancelable: true }));
    });
    await page.waitForFunction(() => document.querySelector('#problem')?.textContent?.startsWith('<b>notes.txt'));
    expect(await page.textContent('#problem')).toContain('not a safetensors file');
  });
  test('the same file, whole, is taken by dropping', async () => {
    const base64 = readFileSync(at('fixed.safetensors')).toString('base64');
    await page.evaluate((text) => {
      const data = new DataTransfer();
      data.items.add(new File([Uint8Array.from(atob(text), (char) => char.charCodeAt(0))], 'dropped.safetensors'));
      window.dispatchEvent(new DragEvent('drop', { dataTransfer: data, cancelable: true }));
    }, base64);
    await settled(`now.model.name.startsWith('dropped.safetensors')`);
    expect(await page.locator('#problem').count()).toBe(0);
  });
});

test('each row of each attention map sums to 1 over what it may see', async () => {
  const sums = await page.evaluate(() => {
    const { attention, S } = (globalThis as unknown as Console).byteToLoss;
    return attention.flatMap(({ weights }) =>
      Array.from({ length: S }, (_, i) => weights.subarray(i * S, (i + 1) * S).reduce((sum, w) => sum + w, 0)),
    );
  });
  // one more has read all of the text
  expect(sums.length).toBe(TINY.layers * TINY.heads * (Math.ceil(L / TINY.K) + 35 - L + 1));
  for (const sum of sums) expect(sum).toBeCloseTo(1, 4);
});

describe('from a number to the shader that made it', () => {
  test('in one click, with every op held to float64', async () => {
    for (const op of ['crossEntropy', 'attention.forward', 'hslFeatures.forward']) {
      await page.getByRole('button', { name: `made by ${op}: see its shader` }).click();
      await page.locator('#op-detail h3', { hasText: op }).waitFor();
      expect(await page.textContent('#op-detail .wgsl')).toContain('@compute @workgroup_size');
    }
    expect(await page.textContent('#ops [role=status]')).toMatch(/^\d+ ops, all agree with float64; the largest/);
  });
  test('and on to its neighbours', async () => {
    await page.getByRole('button', { name: 'Next', exact: true }).click();
    expect(await page.textContent('#op-detail h3')).toContain('hslFeatures.forward'); // of the stream
    await page.getByRole('listbox').focus();
    await page.keyboard.press('End');
    expect(await page.textContent('#op-detail h3')).toContain('markNonFinite'); // the last of the step but its update
    await page.screenshot({ path: screenshotPath('explorer-ops') });
  });
});

test('the way back is there too, each gradient op linked from the op it differentiates', async () => {
  await page.getByRole('button', { name: 'made by attention.forward' }).click();
  await page.locator('#op-detail h3', { hasText: 'attention.forward' }).waitFor();
  await page.locator('#op-detail .links').getByRole('button', { name: 'attention.backwardQ' }).click();
  expect(await page.textContent('#op-detail .wgsl')).toContain('attention.backwardQ');
});

test('in the graph a block unfolds and an op opens, with the line from its gradient', async () => {
  await page.locator('#graph a[data-block="blocks.0"]').first().click();
  const op = page.getByRole('link', { name: /^attention.forward in blocks.0/ });
  await op.focus();
  await page.keyboard.press('Enter');
  await page.locator('#op-detail h3', { hasText: 'attention.forward' }).waitFor();
  await page.locator('#graph .chosen').waitFor();
  expect(await page.locator('#graph .differentiates').count()).toBe(3); // delta, backwardQ and backwardKV
  expect(await page.evaluate(() => document.activeElement!.getAttribute('aria-label'))).toMatch(
    /^attention.forward in/,
  );
});

test('who asks for less motion gets jumps, not glides', async () => {
  await page.evaluate(() => {
    Element.prototype.scrollIntoView = (options) => {
      document.body.dataset.scrolled = (options as ScrollIntoViewOptions).behavior!;
    };
  });
  for (const [reducedMotion, behaviour] of [
    ['reduce', 'auto'],
    ['no-preference', 'smooth'],
  ] as const) {
    await page.emulateMedia({ reducedMotion });
    await page.getByRole('button', { name: 'made by attention.forward' }).click();
    await page.waitForSelector(`body[data-scrolled="${behaviour}"]`);
  }
});

describe('training, live', () => {
  test('20 steps let the loss fall, as in Node', async () => {
    await page.getByLabel('steps', { exact: true }).fill('20');
    await page.getByRole('button', { name: 'Train', exact: true }).click();
    await page.getByRole('button', { name: 'Write again' }).waitFor();
    expect(await page.textContent('#training-status')).toMatch(/^step 20 of 20, \d\.\d{3} bits per byte$/);
    const losses = await page.evaluate(() => (globalThis as unknown as Console).byteToLossTraining.losses);
    expect(losses.length).toBe(20);
    const mean = (from: number, to: number) =>
      losses.slice(from, to).reduce((sum, loss) => sum + loss, 0) / (to - from);
    expect(mean(15, 20)).toBeLessThan(mean(0, 5) - 2);
    expect((await page.textContent('figure.sample pre'))!.length).toBeGreaterThan(20);

    const here = await LiveTraining.create(await openDevice({ device: 'cpu' }), MOBY_DICK, {
      steps: 20,
      lr: 2e-3,
      seed: 0,
    });
    for (let i = 0; i < 3; i++) await here.step();
    for (const [i, loss] of here.losses.entries()) expect(losses[i]).toBeCloseTo(loss, 4);
    here.free();
  });

  test('what was trained can be looked into', async () => {
    await page.getByRole('button', { name: 'Look into it above' }).click();
    await settled(`now.model.name === "this page's decoder after 20 steps"`);
    const bits = await page.evaluate(() => (globalThis as unknown as Console).byteToLoss.bitsPerByte);
    expect(bits).toBeLessThan(7); // the untrained one is at 8
  });

  test('stops, continues, and starts over', async () => {
    await page.getByRole('button', { name: 'Start over' }).click();
    await settled('now.model.trained');
    await page.getByLabel('steps', { exact: true }).fill('500');
    await page.getByRole('button', { name: 'Train', exact: true }).click();
    const steps = () => page.evaluate(() => (globalThis as unknown as Console).byteToLossTraining.losses.length);
    await page.waitForFunction(() => /^step [1-9]/.test(document.querySelector('#training-status')!.textContent!));
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Continue' }).waitFor();
    const stopped = await steps();
    expect(stopped).toBeLessThan(500);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.waitForFunction((before) => {
      const { losses } = (globalThis as unknown as Console).byteToLossTraining;
      return losses.length > before;
    }, stopped);
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Continue' }).waitFor();
  });

  test('a text shorter than a window is refused in words', async () => {
    await page.getByRole('button', { name: 'Start over' }).click();
    await page.getByLabel('Text to learn').fill('too short');
    await page.getByRole('button', { name: 'Train', exact: true }).click();
    await page.getByText('The text has 9 bytes; a window takes 64.').waitFor();
  });
});

test('a text longer than the window is cut, and no text at all is asked for; both are said', async () => {
  await page.fill('textarea >> nth=0', 'x'.repeat(300));
  await page.getByText('Only the first 256 of 300 bytes are looked at.').waitFor();
  await page.fill('textarea >> nth=0', '');
  await page.getByText('There is no byte yet').waitFor();
  await page.fill('textarea >> nth=0', TEXT);
  await settled('now.ids.length === 35');
});

test('a kernel is stepped by its tour and to its end, where the numbers are those of the run to the bit', async () => {
  await page.getByRole('button', { name: 'attention', exact: true }).click();
  await page.getByText('One lane per query').waitFor();
  expect(await page.locator('.code li[aria-current] code').textContent()).toContain('var query: array<f32, HEAD_DIM>');
  await page.getByRole('button', { name: 'To the end' }).click();
  await page.getByText(/The \d+ numbers that it wrote are those of the run, to the bit/).waitFor();
});

test('by keyboard, the stepper takes the focus, the arrow keys choose a lane, and Escape closes it', async () => {
  const opener = page.getByRole('button', { name: 'LayerNorm', exact: true });
  await opener.focus();
  await page.keyboard.press('Enter');
  await page.getByText('One lane per row of').waitFor();
  expect(await page.evaluate(() => document.activeElement!.textContent)).toBe('Step through layerNorm.forward');
  await page.getByRole('region', { name: /^Lanes and their variables/ }).focus();
  for (const key of ['ArrowDown', 'ArrowDown', 'ArrowUp']) await page.keyboard.press(key);
  expect(await page.getByLabel(/^lane, of/).inputValue()).toBe('1');
  await page.keyboard.press('Escape');
  await page.locator('#stepper').waitFor({ state: 'detached' });
  expect(await opener.evaluate((button) => button === document.activeElement)).toBe(true);
});

test('a puzzle: the hole is refused with the reason, its race is stepped to, and the solution is taken', async () => {
  await page.getByRole('button', { name: '7. A sum with a barrier' }).click();
  const kernel = page.locator('textarea.wgsl');
  // The text of this puzzle, not of the one before: both have a hole.
  await page.waitForFunction(() =>
    /var<workgroup> partial[\s\S]*\/\/ your/.test(document.querySelector<HTMLTextAreaElement>('textarea.wgsl')!.value),
  );
  const all = 'for (var k = 0u; k < WORKGROUP; k++) { all += partial[k]; }';
  const racing = `partial[lane] = sum; if (lane == 0u) { var all = 0.0; ${all} y[at] = all / params.divisor;`;
  await kernel.fill((await kernel.inputValue()).replace('// your lines', racing));
  await page.getByRole('button', { name: 'Check', exact: true }).click();
  await page.getByText(/^race in workgroup memory at partial/).waitFor();
  await page.getByRole('button', { name: 'Step to it' }).click();
  await page.locator('.puzzles .code li.fault[aria-current], .puzzles .code li.fault').first().waitFor();
  await page.screenshot({ path: screenshotPath('explorer-race') });
  await page.getByRole('button', { name: 'Solution' }).click();
  await page.getByRole('button', { name: 'Check', exact: true }).click();
  await page.getByText(/^Solved: \d+ invocations ran/).waitFor();
});

test('the Tab key reaches every control in the order of the page, each with a name and a visible focus', async () => {
  await page.getByRole('button', { name: 'Run the training step' }).click();
  await page.locator('.gradients').waitFor();
  await page.getByRole('button', { name: 'tiled product' }).click();
  await page.locator('#stepper .code').waitFor();
  const controls = 'a[href], button:not(:disabled), input, textarea, select, summary, [tabindex="0"]';
  const count = await page.evaluate((selector) => {
    const all = [...document.querySelectorAll(selector)].filter((one) => one.checkVisibility());
    for (const [i, one] of all.entries()) (one as HTMLElement).dataset.stop = String(i);
    (document.activeElement as HTMLElement).blur();
    document.body.tabIndex = -1;
    document.body.focus(); // the next Tab begins at the top
    return all.length;
  }, controls);
  expect(count).toBeGreaterThan(60);
  const stops: number[] = [];
  while (stops.at(-1) !== count - 1 && stops.length < count + 20) {
    await page.keyboard.press('Tab');
    const { stop, name, ring } = await page.evaluate(() => {
      const one = document.activeElement as HTMLInputElement;
      const frame = one.closest('.button') ?? (one.matches('a') ? one.querySelector('rect') : null) ?? one;
      const { outlineStyle, outlineWidth, strokeWidth } = getComputedStyle(frame);
      const label = one.getAttribute('aria-label') ?? one.labels?.[0]?.textContent ?? one.textContent!;
      const isRinged = frame instanceof SVGElement ? strokeWidth === '3px' : `${outlineStyle} ${outlineWidth}`;
      return { stop: one.dataset.stop, name: label.trim(), ring: isRinged };
    });
    if (stop === undefined) continue; // a box that scrolls, which this browser adds
    stops.push(Number(stop));
    expect(name, `control ${stop}`).not.toBe('');
    expect([true, 'solid 2px'], `${name}: ${ring}`).toContain(ring);
  }
  expect(stops).toEqual(Array.from({ length: count }, (_, i) => i));
});

describe('on any screen', () => {
  for (const scheme of ['light', 'dark'] as const) {
    test(`${scheme}: axe-core finds nothing against WCAG 2.2 AA`, async () => {
      await page.emulateMedia({ colorScheme: scheme });
      const found = await page.evaluate(async () => {
        const { axe } = globalThis as unknown as { axe: typeof import('axe-core') };
        const { violations } = await axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] });
        return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`);
      });
      expect(found).toEqual([]);
    });
  }

  test('a phone scrolls down only, and pictures of both widths are kept', async () => {
    for (const [name, width, height, scheme] of [
      ['desktop', 1280, 800, 'light'],
      ['desktop-dark', 1280, 800, 'dark'],
      ['phone', 390, 844, 'light'],
      ['phone-narrow', 360, 740, 'dark'],
    ] as const) {
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme: scheme });
      expect(await page.evaluate(() => document.documentElement.scrollWidth), name).toBeLessThanOrEqual(width);
      await page.screenshot({ path: screenshotPath(`explorer-${name}`), fullPage: true });
    }
  });
});

test("on the browser's own WebGPU: the same losses, and a kernel with barriers stepped to the device's numbers", async () => {
  const other = await openPage();
  await other.goto(`${address}?device=webgpu&text=Call me Ishmael.&before=8&step=linear.forward`);
  await other.waitForSelector('#device[data-device="swiftshader"]');
  await page.getByRole('button', { name: 'Trained' }).click();
  await page.fill('textarea >> nth=0', 'Call me Ishmael.');
  await page.fill('input[type=range] >> nth=0', '8');
  for (const each of [page, other]) {
    await each.waitForFunction(() => {
      const now = (globalThis as unknown as Console).byteToLoss;
      return now?.ids.length === 16 && now.bits.length === 8 && now.model.trained;
    });
  }
  const [here, there] = await Promise.all(
    [page, other].map((each) => each.evaluate(() => [...(globalThis as unknown as Console).byteToLoss.bits])),
  );
  for (const [t, bits] of here!.entries()) expect(there![t]).toBeCloseTo(bits, 4);

  await other.getByRole('button', { name: 'Next barrier' }).click();
  const status = other.locator('#stepper-status');
  await status.getByText('All 64 lanes wait at the barrier').waitFor();
  expect(await other.locator('.lanes tr.waits').count()).toBe(64);
  expect(await other.locator('.code li[aria-current] code').textContent()).toContain('workgroupBarrier()');
  await other.getByRole('button', { name: 'Next line' }).click();
  expect(await other.locator('.lanes tr.waits').count()).toBe(0);
  await other.getByRole('button', { name: 'To the end' }).click();
  const said = (await status.textContent())!;
  const error = /largest difference is (\S+),/.exec(said)?.[1] ?? (said.includes('to the bit') ? '0' : 'nothing said');
  expect(Number(error)).toBeLessThan(1e-4);
  await other.close();
});

test('without WebGPU it says so, and runs on the CPU device', async () => {
  const bare = await openPage();
  await bare.addInitScript(() => {
    delete (Navigator.prototype as { gpu?: unknown }).gpu;
  });
  await bare.goto(`${address}?text=Call me Ishmael.&before=8&step=layerNorm.forward`);
  await bare.waitForSelector('#bits-per-byte[data-value]'); // absent until the first pass has ended
  expect(await bare.textContent('#without-webgpu')).toContain('This browser has no WebGPU');
  expect(await bare.locator('#no-device').count()).toBe(0);
  // What the address asked for: its text, and a kernel in the stepper.
  await bare.locator('#stepper', { hasText: 'layerNorm.forward' }).waitFor();
  expect(await bare.evaluate(() => (globalThis as unknown as Console).byteToLoss.bits.length)).toBe(8);
  await bare.close();
});

describe('a page that inspect wrote for a checkpoint and a recording', () => {
  let data: ReturnType<typeof inspectionJson>;
  const open = async (file: string): Promise<Page> => {
    const opened = await openPage();
    await opened.goto(pathToFileURL(at(file)).href);
    await opened.getByRole('button', { name: 'Run the training step' }).click();
    await opened.locator('.gradients').waitFor();
    return opened;
  };

  test('has the numbers of --json, in its panels too', async () => {
    writeFileSync(at('sound.wav'), wav(sine(440, 4000, 60), { rate: 4000 }));
    const words = ['--audio', at('sound.wav'), '--text', 'one', '--checkpoint', at('fixed.safetensors')];
    const { out } = await cli('inspect', ...words, '--device', 'cpu', '--json', '--out', at('trace.html'));
    data = JSON.parse(out);
    const opened = await open('trace.html');
    // As JSON, which has no -0.
    const step = await opened.evaluate(() => {
      const { window, predictions, residual, gradients, attribution } = (globalThis as unknown as Console)
        .byteToLossStep;
      const { bits } = (globalThis as unknown as Console).byteToLoss;
      const nats = predictions.map((each) => each.nats);
      const ids = [...window.prefix, ...window.targets];
      return JSON.stringify({ ids, bits, nats, residual, gradients, attribution: [...attribution!.data] });
    });
    const found = JSON.parse(step);
    expect(found.ids).toEqual([...data.window.prefix, ...data.window.targets]);
    expect(found.ids.at(-1)).toBe(257); // EOS
    expect(found.nats).toEqual(data.predictions.map(({ nats }) => nats));
    expect(found.bits).toEqual(data.predictions.map(({ bits }) => bits));
    // Math.hypot may round otherwise in another engine.
    expect(found.residual).toHaveLength(data.residual.length);
    for (const [i, { entry, scope, norms }] of data.residual.entries()) {
      expect(found.residual[i]).toMatchObject({ entry, scope });
      for (const [s, norm] of norms.entries())
        expect(Math.abs(found.residual[i].norms[s] - norm)).toBeLessThanOrEqual(1e-12 * norm);
    }
    expect(found.gradients).toEqual(data.gradients);
    expect(found.attribution).toEqual(data.attribution!.rows.flat());
    expect(await opened.textContent('#bits-per-byte')).toBe(data.bits_per_byte.toFixed(3));
    expect(await opened.textContent('#ops [role=status]')).toMatch(/all agree with float64/);

    const rows = await opened.locator('.gradients tbody tr').allTextContents();
    expect(rows).toEqual(
      data.gradients.map(
        ({ name, gradient, parameter }) =>
          name + shortNumber(gradient) + (parameter === 0 ? '–' : shortNumber(gradient / parameter)),
      ),
    );
    const stages = await opened.locator('.residual tbody tr').allTextContents();
    expect(stages).toHaveLength(data.residual.length);
    for (const [i, { norms }] of data.residual.entries()) expect(stages[i]).toContain(shortNumber(Math.max(...norms)));
    // EOS is never read; the byte before it is the last row of the gradients by channel.
    const said = opened.locator('section:has(.gradients) p[aria-live]');
    expect(await said.textContent()).toBe('Nothing arrives at EOS, the end.');
    await opened.getByRole('slider', { name: 'Chosen byte' }).press('ArrowLeft');
    const row = data.attribution!.rows.at(-1)!;
    const largest = row.map(Math.abs).indexOf(Math.max(...row.map(Math.abs)));
    const first = `${data.channels!.names[largest]} ${shortNumber(row[largest]!)}`;
    expect(await said.textContent()).toContain(`Most at e (hex 65): ${first}, `);
    // From a parameter to the op that made its gradient, and to that op's file.
    await opened.getByRole('button', { name: 'blocks.0.mlp.up.weight' }).click();
    expect(await opened.textContent('#op-detail h3')).toBe('linear.backwardWeight blocks.0.mlp.up');
    expect(await opened.textContent('#op-detail')).toContain('export function linear(x: Tensor');
    await opened.close();
  });

  test('finds a planted error in a kernel, in the op that runs it and no other', async () => {
    const right = 'y[i] = 0.5 * x * (1.0 + t);'; // of gelu.forward
    const html = readFileSync(at('trace.html'), 'utf8');
    expect(html.split(right)).toHaveLength(2);
    writeFileSync(at('planted.html'), html.replace(right, right.replace('1.0', '1.1')));
    const planted = await open('planted.html');
    expect(await planted.textContent('#ops [role=status]')).toMatch(/^2 of \d+ ops disagree with float64$/);
    const marked = await planted.locator('.ops [role=option]', { hasText: 'disagrees' }).allTextContents();
    expect(marked).toEqual(['gelu.forwardblocks.0.mlp, disagrees', 'gelu.forwardblocks.1.mlp, disagrees']);
    await planted.close();
  });
});

test('nothing went wrong unseen', () => expect(errors).toEqual([]));
