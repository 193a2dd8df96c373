import { InputError } from '../../common/errors.js';
import { muLawBytes } from '../data/mulaw.js';
import type { Draws } from './draws.js';
import { choices, choose, type Generator, type SyntheticOptions, syntheticSource } from './synthetic.js';
import { type Moment, type VideoLayout, videoLayout, videoWindow } from './videoWindow.js';
import type { WindowSize, WindowSource } from './window.js';

/*
 * Small moving scenes: one shape on a dark 16 x 16 ground, one sound, and a caption that comes with the second of two frames: 2,380
 * combinations. Both frames determine the motion, and the audio determines the sound.
 *
 *   small white disc moving slowly left, low hum
 *   large grey cross standing still, silent
 */

/** Does the point at (x, y) from the middle belong to a shape of radius r? */
const shapes = {
  square: (x: number, y: number, r: number) => Math.max(Math.abs(x), Math.abs(y)) <= 0.9 * r,
  disc: (x: number, y: number, r: number) => Math.hypot(x, y) <= r,
  ring: (x: number, y: number, r: number) => Math.hypot(x, y) <= r && Math.hypot(x, y) >= r - 1.4,
  cross: (x: number, y: number, r: number) =>
    Math.max(Math.abs(x), Math.abs(y)) <= r && Math.min(Math.abs(x), Math.abs(y)) <= r / 4,
  diamond: (x: number, y: number, r: number) => Math.abs(x) + Math.abs(y) <= 1.2 * r,
};

const radii = { small: 2.2, large: 4.4 };
const shades = { grey: 112, white: 240 };
const ground = 16;

/** Pixels per frame; y grows downwards. */
const ways: Readonly<Record<string, readonly [number, number]>> = {
  left: [-1, 0],
  right: [1, 0],
  up: [0, -1],
  down: [0, 1],
  'up left': [-1, -1],
  'up right': [1, -1],
  'down left': [-1, 1],
  'down right': [1, 1],
};
const paces = { slowly: 1, quickly: 3 };
const motions = [
  { words: 'standing still', step: [0, 0] },
  ...Object.entries(paces).flatMap(([pace, pixels]) =>
    Object.entries(ways).map(([way, [x, y]]) => ({ words: `moving ${pace} ${way}`, step: [x * pixels, y * pixels] })),
  ),
];

/** Cycles per sample, and the wave. */
const sounds = [
  { words: 'silent', pitch: 0, wave: () => 0 },
  ...Object.entries({ low: 1 / 32, middle: 1 / 16, high: 1 / 8 }).flatMap(([words, pitch]) => [
    { words: `${words} hum`, pitch, wave: (phase: number) => Math.sin(2 * Math.PI * phase) },
    { words: `${words} buzz`, pitch, wave: (phase: number) => 2 * phase - 1 },
  ]),
];

const names = <T extends object>(of: T) => Object.keys(of) as (keyof T)[];
const lists = [names(radii), names(shades), names(shapes), motions, sounds] as const;

/** Number of different scenes. */
export const sceneCombinations = choices(lists);

/** The caption of a combination. */
export function sceneCaption(combination: number): string {
  const [size, shade, shape, motion, sound] = choose(combination, lists);
  return `${size} ${shade} ${shape} ${motion.words}, ${sound.words}`;
}

/** The two moments of a combination: its place, shade, tuning and phase vary with the draws. */
export function renderScene(combination: number, layout: VideoLayout, draws: Draws): [Moment, Moment] {
  const [size, shade, shape, { step }, sound] = choose(combination, lists);
  const [stepX = 0, stepY = 0] = step;
  const radius = radii[size];
  const brightness = shades[shade] + draws.integer(16);
  // Both positions must be within the frame, so the first leaves room for the step.
  const place = (by: number) => {
    const low = Math.max(radius, radius - by);
    const high = Math.min(15 - radius, 15 - radius - by);
    return low + draws.next() * (high - low);
  };
  const x = place(stepX);
  const y = place(stepY);
  const frame = (centreX: number, centreY: number) =>
    Uint8Array.from({ length: 256 }, (_, pixel) =>
      shapes[shape]((pixel % 16) - centreX, Math.floor(pixel / 16) - centreY, radius) ? brightness : ground,
    );
  const tuned = sound.pitch * 2 ** (0.2 * (draws.next() - 0.5));
  const start = draws.next();
  const samples = Float32Array.from({ length: 2 * layout.audio }, (_, n) => sound.wave((start + tuned * n) % 1));
  const audio = muLawBytes(samples); // one sound through both moments
  return [
    { frame: frame(x, y), audio: audio.subarray(0, layout.audio), caption: undefined },
    { frame: frame(x + stepX, y + stepY), audio: audio.subarray(layout.audio), caption: sceneCaption(combination) },
  ];
}

/** Synthetic video windows. @throws InputError when a window has no room for its parts, 64 bytes of audio among them */
export function syntheticScenes(size: WindowSize, options: SyntheticOptions = {}): WindowSource {
  const layout = videoLayout(size);
  if (layout.audio < 64) {
    const least = 256 + 64 + layout.caption;
    throw new InputError(
      `made scenes: a window of ${size.prefix}+${size.stream} bytes is too small: prefix and stream each need at least ${least}`,
    );
  }
  const generator: Generator = {
    kind: 'video',
    name: 'scene',
    combinations: sceneCombinations,
    make(combination, draws) {
      const [before, next] = renderScene(combination, layout, draws);
      return videoWindow(before, next, layout, size, 'made scenes', combination);
    },
  };
  return syntheticSource(generator, size, options);
}
