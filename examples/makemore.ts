// makemore's character MLP (Bengio et al. 2003; Karpathy): from three characters to the next, and invented names.
import { AdamW, crossEntropy, embedding, integers, openDevice, Program, uniform } from 'byte-to-loss/engine';

const names = `emma olivia ava isabella sophia charlotte mia amelia harper evelyn abigail emily ella elizabeth camila luna
sofia avery mila aria scarlett penelope layla chloe victoria madison eleanor grace nora riley zoey hannah hazel lily ellie
violet lillian zoe stella aurora natalie emilia everly leah aubrey willow addison lucy audrey bella nova paisley`;
const letters = '.abcdefghijklmnopqrstuvwxyz'; // '.' begins and ends a name
const windows = names.split(/\s/).flatMap((name) => {
  const ids = [...`...${name}.`].map((letter) => letters.indexOf(letter));
  return ids.slice(3).map((next, i) => ({ context: ids.slice(i, i + 3), next }));
});

const device = await openDevice();
const program = new Program({ device });
const table = program.parameter('table', [27, 8], { init: { std: 1 } });
const w1 = program.parameter('w1', [3 * 8, 64], { init: { std: 0.2 } });
const w2 = program.parameter('w2', [64, 27], { init: { std: 0.02 } });
const embed = (name: string, B: number) => embedding(table, program.input(name, [B, 3], 'u32')).reshape([B, 3 * 8]);
const logits = (name: string, B: number) => embed(name, B).matmul(w1).tanh().matmul(w2); // [B, 27]
const { loss } = crossEntropy(logits('context', 32), program.input('next', [32], 'u32'));

const optimiser = new AdamW(loss, { lr: 0.01 });
for (let step = 0; step <= 400; step++) {
  const batch = Array.from(integers(0, `batch ${step}`, 32, windows.length), (i) => windows[i]!);
  const value = await optimiser.step({ context: batch.map((w) => w.context), next: batch.map((w) => w.next) });
  if (step % 100 === 0) console.log(`step ${step}  loss ${value.toFixed(3)}`);
}
const shares = logits('last', 1).softmax();
for (let n = 1; n <= 5; n++) {
  let name = '...';
  while (name === '...' || !name.endsWith('.')) {
    const { data } = await shares.value({ last: [[...name.slice(-3)].map((letter) => letters.indexOf(letter))] });
    let [next, left] = [0, uniform(0, `name ${n}`, name.length)];
    while (next < 26 && left > data[next]!) left -= data[next++]!;
    name += letters[next];
  }
  console.log(`${n}: ${name.slice(3, -1)}`);
}
device.close();
