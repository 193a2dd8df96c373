import { InputError } from '../../common/errors.js';
import { muLawBytes } from '../data/mulaw.js';
import { audioWindow } from './audio.js';
import type { Draws } from './draws.js';
import { choices, choose, type Generator, type SyntheticOptions, syntheticSource } from './synthetic.js';
import type { WindowSize, WindowSource } from './window.js';

/*
 * Sounds and the words for them: 2,048 combinations. Every word of a caption is a fact about the sound, each about as likely as its
 * alternatives, so that it cannot be guessed without the audio.
 *
 *   a low saw tone, rising and fading, twice
 *   a square chirp, down and swelling, once
 *   a dark crackling noise, even, three times
 *   beats of a high sine tone, long short short
 */

/** Cycles per sample, so that a sound fits any length and rate. */
const pitches = { low: 1 / 32, middle: 1 / 16, high: 1 / 8 };

/** One cycle of each wave: phase in [0, 1) to [-1, 1]. */
const waves = {
  sine: (phase: number) => Math.sin(2 * Math.PI * phase),
  triangle: (phase: number) => 1 - 4 * Math.abs(phase - 0.5),
  square: (phase: number) => (phase < 0.5 ? 1 : -1),
  saw: (phase: number) => 2 * phase - 1,
  pulse: (phase: number) => (phase < 0.125 ? 1 : -0.25),
};

/** Octaves above the pitch as an event goes from 0 to 1. */
const contours = {
  steady: () => 0,
  rising: (u: number) => u - 0.5,
  falling: (u: number) => 0.5 - u,
  arching: (u: number) => 0.5 - 2 * Math.abs(u - 0.5),
  wavering: (u: number) => 0.25 * Math.sin(2 * Math.PI * 4 * u),
};

/** As contours, over three octaves. */
const sweeps = {
  up: (u: number) => 3 * (u - 0.5),
  down: (u: number) => 3 * (0.5 - u),
  'up and down': (u: number) => 1.5 - 6 * Math.abs(u - 0.5),
  'down and up': (u: number) => 6 * Math.abs(u - 0.5) - 1.5,
};

/** Loudness as an event goes from 0 to 1. */
const loudness = {
  even: () => 1,
  swelling: (u: number) => u,
  fading: (u: number) => 1 - u,
  trembling: (u: number) => 0.55 + 0.45 * Math.cos(2 * Math.PI * 5 * u),
};

const times = { once: 1, twice: 2, 'three times': 3, 'four times': 4 };

const colours = ['dark', 'white', 'bright'] as const;
const textures = ['hissing', 'crackling'] as const;

/** Every order of three or four beats. */
const rhythms = [3, 4].flatMap((length) =>
  Array.from({ length: 2 ** length }, (_, bits) =>
    Array.from({ length }, (_, beat) => ((bits >> beat) & 1 ? 'long' : 'short')),
  ),
);

const names = <T extends object>(of: T) => Object.keys(of) as (keyof T)[];
const instruments = [
  ...names(pitches).flatMap((pitch) => names(waves).map((wave) => ({ words: `${pitch} ${wave} tone`, pitch, wave }))),
  ...colours.map((colour) => ({ words: `${colour} hissing noise`, colour })),
];

const families = {
  tone: [names(pitches), names(waves), names(contours), names(loudness), names(times)],
  chirp: [names(waves), names(sweeps), names(loudness), names(times)],
  noise: [colours, textures, names(loudness), names(times)],
  rhythm: [rhythms, instruments],
} as const;

/** Makes the samples of one event of `length` samples. */
type Voice = (length: number, draws: Draws) => Float32Array;

/** A combination: its caption and its sound. */
export interface SyntheticSound {
  readonly caption: string;
  readonly voice: Voice;
  /** the events' lengths, relative to one another, their pauses included */
  readonly beats: readonly number[];
}

/** Number of different sounds. */
export const soundCombinations = Object.values(families).reduce((sum, lists) => sum + choices(lists), 0);

/** The sound and the caption of a combination. */
export function syntheticSound(combination: number): SyntheticSound {
  let rest = combination;
  const { tone, chirp, noise, rhythm } = families;
  if (rest < choices(tone)) {
    const [pitch, wave, contour, loud, often] = choose(rest, tone);
    const voice = tonal(pitches[pitch], waves[wave], contours[contour], loudness[loud]);
    return { caption: `a ${pitch} ${wave} tone, ${contour} and ${loud}, ${often}`, voice, beats: evenBeats(often) };
  }
  rest -= choices(tone);
  if (rest < choices(chirp)) {
    const [wave, sweep, loud, often] = choose(rest, chirp);
    const voice = tonal(pitches.middle, waves[wave], sweeps[sweep], loudness[loud]);
    return { caption: `a ${wave} chirp, ${sweep} and ${loud}, ${often}`, voice, beats: evenBeats(often) };
  }
  rest -= choices(chirp);
  if (rest < choices(noise)) {
    const [colour, texture, loud, often] = choose(rest, noise);
    return {
      caption: `a ${colour} ${texture} noise, ${loud}, ${often}`,
      voice: noisy(colour, texture, loudness[loud]),
      beats: evenBeats(often),
    };
  }
  rest -= choices(noise);
  const [pattern, instrument] = choose(rest, rhythm);
  const voice =
    'pitch' in instrument
      ? tonal(pitches[instrument.pitch], waves[instrument.wave], contours.steady, loudness.even)
      : noisy(instrument.colour, 'hissing', loudness.even);
  return {
    caption: `beats of a ${instrument.words}, ${pattern.join(' ')}`,
    voice,
    beats: pattern.map((beat) => (beat === 'long' ? 3 : 1)),
  };
}

function evenBeats(often: keyof typeof times): number[] {
  return new Array(times[often]).fill(1);
}

function tonal(
  pitch: number,
  wave: (phase: number) => number,
  octaves: (u: number) => number,
  loud: (u: number) => number,
): Voice {
  return (length, draws) => {
    const tuned = pitch * 2 ** (0.2 * (draws.next() - 0.5)); // a tenth of an octave around the pitch
    let phase = draws.next();
    return Float32Array.from({ length }, (_, n) => {
      const u = n / length;
      phase = (phase + tuned * 2 ** octaves(u)) % 1;
      return wave(phase) * loud(u);
    });
  };
}

function noisy(
  colour: (typeof colours)[number],
  texture: (typeof textures)[number],
  loud: (u: number) => number,
): Voice {
  return (length, draws) => {
    let last = 0;
    return Float32Array.from({ length }, (_, n) => {
      const white = texture === 'hissing' || draws.next() < 0.1 ? 2 * draws.next() - 1 : 0;
      const smooth = 0.75 * last + 0.25 * white; // one-pole low-pass
      const coloured = { dark: 3 * smooth, white, bright: white - last }[colour];
      last = colour === 'dark' ? smooth : white;
      return coloured * loud(n / length);
    });
  };
}

/** A combination as `length` samples: its beats one after another, each sounding for four fifths of its time. */
export function renderSound({ voice, beats }: SyntheticSound, length: number, draws: Draws): Float32Array {
  const samples = new Float32Array(length);
  const unit = length / beats.reduce((sum, beat) => sum + beat, 0);
  const late = draws.next() * 0.1; // of a beat
  let start = 0;
  for (const beat of beats) {
    const event = voice(Math.floor(beat * unit * 0.8), draws);
    // samples over which an event starts and stops, so that it does not click
    const edge = Math.min(8, event.length / 4);
    for (const [n, value] of event.entries()) {
      const at = Math.floor((start + late * beat) * unit) + n;
      if (at < length) samples[at] = value * Math.min(1, (n + 1) / edge, (event.length - n) / edge);
    }
    start += beat;
  }
  return samples;
}

/**
 * Synthetic audio–caption windows: tones, chirps, noises and rhythms, described in words.
 *
 * @throws InputError when the stream is too short for a caption, or the prefix for a sound
 */
export function syntheticSounds(size: WindowSize, options: SyntheticOptions = {}): WindowSource {
  const longest = Math.max(...Array.from({ length: soundCombinations }, (_, c) => syntheticSound(c).caption.length));
  if (size.stream <= longest)
    throw new InputError(`made sounds: a stream of ${size.stream} bytes is too small: captions take ${longest + 1}`);
  if (size.prefix < 128)
    throw new InputError(`made sounds: a prefix of ${size.prefix} bytes is too small: a sound needs at least 128`);
  const generator: Generator = {
    kind: 'audio',
    name: 'sound',
    combinations: soundCombinations,
    make(combination, draws) {
      const sound = syntheticSound(combination);
      const audio = muLawBytes(renderSound(sound, size.prefix, draws));
      return audioWindow({ source: 'made sounds', audio, caption: sound.caption }, size, combination);
    },
  };
  return syntheticSource(generator, size, options);
}
