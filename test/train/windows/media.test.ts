import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { muLawEncode, SILENCE } from '../../../src/train/data/mulaw.js';
import { openAudio } from '../../../src/train/windows/audio.js';
import { openVideo } from '../../../src/train/windows/video.js';
import { EOS, MASK, type Window } from '../../../src/train/windows/window.js';
import { sine, wav, y4m } from '../../support/media.js';

const folder = mkdtempSync(join(tmpdir(), 'media-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const text = (ids: Uint32Array) => new TextDecoder().decode(Uint8Array.from([...ids].filter((id) => id < MASK)));

describe('openAudio', () => {
  const size = { prefix: 200, stream: 24 };
  for (let i = 0; i < 10; i++) file(`tone ${i}.wav`, wav(sine(500, 8000, 300), { rate: 8000 }));
  const line = (caption: string, audio = 'tone 0.wav') => `${JSON.stringify({ audio, caption })}\n`;
  const ten = Array.from({ length: 10 }, (_, i) => line(`tone ${i}`, `tone ${i}.wav`)).join('');

  it('is μ-law bytes, then the caption and its EOS', () => {
    const source = openAudio(file('ten.jsonl', ten), size);
    const { prefix, stream, weights, info } = source.validation(0);
    expect([info.caption, info.source]).toEqual(['tone 9', join(folder, 'tone 9.wav')]);
    expect(text(stream)).toBe('tone 9');
    expect([stream[6], stream[7], [...weights].join('')]).toEqual([EOS, MASK, '1'.repeat(7) + '0'.repeat(17)]);
    // 300 samples at 8 kHz are 150 at 4 kHz, the loudest at full scale; silence follows
    expect([...prefix.subarray(150)].every((id) => id === SILENCE)).toBe(true);
    expect([...prefix.subarray(0, 150)].some((id) => id === muLawEncode(32635))).toBe(true);
    expect([source.trainCount, source.validationCount, source.leftOut.count]).toEqual([9, 1, 0]);
  });

  it('samples the train side only, by seed, step and index', () => {
    const source = openAudio(file('ten.jsonl', ten), size);
    const captions = Array.from({ length: 99 }, (_, step) => source.sample('train', 3, step, 1).info.caption);
    expect(new Set(captions).size).toBe(9);
    expect(captions).not.toContain('tone 9');
    expect(source.sample('train', 3, 50, 1).info.caption).toBe(captions[50]);
    expect(source.sample('validation', 3, 50, 1).info.caption).toBe('tone 9');
  });

  it('splits by recording: all lines about one are on its side, and the run records which', () => {
    const again = ten.replaceAll('"tone', '"again: tone').replaceAll('"audio":"again: tone', '"audio":"tone');
    const { clips, split } = openAudio(file('twice.jsonl', again + ten), size);
    expect(clips.validation.map(({ caption }) => caption)).toEqual(['again: tone 9', 'tone 9']);
    expect(split!.validation).toEqual([join(folder, 'tone 9.wav'), join(folder, 'tone 9.wav')]);
    expect(split!.train.filter((recording) => split!.validation.includes(recording))).toEqual([]);
    expect(clips.validation[0]!.audio).toBe(clips.validation[1]!.audio); // read once
  });

  it('reads spoken digits by their names, index 0 to 4 held out', () => {
    const digits = join(folder, 'digits');
    mkdirSync(digits);
    for (const name of ['7_ann_0.wav', '7_ann_5.wav', '3_bo_4.wav', '0_bo_12.wav', 'notes.txt', 'x_bo_1.wav']) {
      writeFileSync(join(digits, name), wav(sine(300, 8000, 100)));
    }
    const source = openAudio(digits, size);
    expect(source.clips.train.map(({ caption }) => caption)).toEqual(['a voice says zero', 'a voice says seven']);
    expect(source.clips.validation.map(({ caption }) => caption)).toEqual(['a voice says three', 'a voice says seven']);
  });

  it('leaves out each bad line by name, and stops at it when strict', () => {
    file('cut.wav', wav(sine(500, 8000, 300)).subarray(0, 100));
    file('mulaw.wav', wav(sine(500, 8000, 300), { bits: 8, tag: 7 }));
    file('empty.wav', '');
    const bad = [
      'no\n',
      '{"audio":"tone 0.wav"}\n',
      '{"caption":"c"}\n',
      '[]\n',
      line('c', 'missing.wav'),
      line('c', 'cut.wav'),
      line('c', 'mulaw.wav'),
      line('c', 'empty.wav'),
      line('a caption that is too long'),
    ];
    const path = file('bad.jsonl', bad.join('') + ten + ten);
    const { leftOut, clips } = openAudio(path, size);
    const inFolder = (name: string) => join(folder, name);
    expect(leftOut.reasons.slice(1)).toEqual([
      `${path}:2: has no "caption"`,
      `${path}:3: has no "audio", the path of a WAV file`,
      `${path}:4: has no "audio", the path of a WAV file`,
      `${path}:5: ${inFolder('missing.wav')}: there is no such file`,
      `${path}:6: ${inFolder('cut.wav')}: truncated: chunk "data" is 600 bytes and 56 are there`,
      `${path}:7: ${inFolder('mulaw.wav')}: compressed (format 7). Convert it: ffmpeg -i IN -c:a pcm_s16le OUT.wav`,
      `${path}:8: ${inFolder('empty.wav')}: is empty; a WAV file is needed`,
      `${path}:9: the caption is 26 bytes, with its EOS 27; there is room for 24`,
    ]);
    expect(leftOut.reasons[0]).toContain(`${path}:1: not JSON`);
    expect([leftOut.count, clips.train.length + clips.validation.length]).toEqual([9, 20]);
    for (const one of bad) {
      const strict = () => openAudio(file('one.jsonl', ten + one + ten), size, { strict: true });
      expect(strict).toThrow('one.jsonl:11: ');
    }
  });

  it('says when nothing is left', () => {
    expect(() => openAudio(join(folder, 'none.jsonl'), size)).toThrow('none.jsonl: there is no such file');
    expect(() => openAudio(file('recording.wav', wav(sine(300, 8000, 100))), size)).toThrow(
      /recording\.wav: is a recording\. Name it with its caption in a manifest, a line \{"audio"/,
    );
    expect(() => openAudio(file('song.mp3', Buffer.alloc(3000, '\xff\n', 'latin1')), size)).toThrow(
      /song\.mp3: is no manifest, whose lines are \{"audio".*\(1500 left out, the first: .*not UTF-8\)$/,
    );
    expect(() => openAudio(file('few.jsonl', line('a')), size)).toThrow(
      'names 1 recording; at least 10 are needed to hold some out',
    );
    const missing = Array.from({ length: 10 }, (_, i) => line('a', `no ${i}.wav`)).join('');
    expect(() => openAudio(file('gone.jsonl', missing), size)).toThrow(
      'no train recording is left (10 left out, the first: ',
    );
    mkdirSync(join(folder, 'nothing'));
    expect(() => openAudio(join(folder, 'nothing'), size)).toThrow('no train recording is left');
  });
});

describe('openVideo', () => {
  const size = { prefix: 360, stream: 350 }; // layout: 256 frame, 30 audio, 64 caption
  const frames = Array.from({ length: 20 }, (_, n) => new Uint8Array(256).fill(n));
  const film = y4m(frames); // 8 frames a second

  const parts = ({ prefix, stream }: Window) => ({
    padding: [...prefix.subarray(0, 10)],
    before: prefix[10],
    beforeAudio: [...prefix.subarray(266, 296)],
    beforeCaption: [...prefix.subarray(296)],
    frame: [...new Set(stream.subarray(0, 256))],
    audio: [...stream.subarray(256, 286)],
    caption: stream.subarray(286),
  });

  it('is one moment, then the next', () => {
    file('plain.y4m', film);
    const source = openVideo([join(folder, 'plain.y4m')], size);
    // 20 frames: 18 train (17 windows), 2 held out (1 window)
    expect([source.trainCount, source.validationCount]).toEqual([17, 1]);
    const window = source.validation(0);
    const { padding, before, frame, audio, caption } = parts(window);
    expect([new Set(padding), before, frame]).toEqual([new Set([MASK]), 18, [19]]);
    expect(new Set(audio)).toEqual(new Set([SILENCE]));
    expect(new Set(caption)).toEqual(new Set([MASK])); // no captions at all: nothing to predict
    expect(window.weights.reduce((sum, weight) => sum + weight, 0)).toBe(286);
    expect(window.info.at).toBe(18);
  });

  it("reads the sound and the subtitles in a film's folder", () => {
    const path = file('rich.y4m', film);
    // a step at one second: silent before, loud after
    file('rich.wav', wav(Array.from({ length: 20000 }, (_, n) => (n < 8000 ? 0 : 0.5))));
    file('rich.srt', '1\n00:00:01,000 --> 00:00:01,250\nloud\n\n2\n00:00:01,200 --> 00:00:03,000\noverlap\n');
    const source = openVideo([path], size);
    expect(source.leftOut.reasons).toEqual([
      `${join(folder, 'rich.srt')}:5: a subtitle starts at 1.2 s, while the one before it lasts until 1.25 s`,
    ]);
    const windows = new Map(
      Array.from({ length: 300 }, (_, step) => source.sample('train', 0, step, 0)).map((window) => [
        window.info.at,
        window,
      ]),
    );
    expect(windows.size).toBe(17);
    const quiet = parts(windows.get(3)!); // frames 3 and 4: half a second in
    expect(quiet.audio.every((byte) => byte === SILENCE)).toBe(true);
    expect([quiet.caption[0], quiet.caption[1]]).toEqual([EOS, MASK]); // nothing is said: the EOS alone
    const loud = windows.get(8)!; // frames 8 and 9: from 1 s and 1.125 s on
    expect(parts(loud).audio.every((byte) => byte < 0x90)).toBe(true);
    expect(text(parts(loud).caption)).toBe('loud');
    expect(parts(loud).caption[4]).toBe(EOS);
    expect(text(Uint32Array.from(parts(loud).beforeCaption))).toBe('loud');
    expect(parts(loud).beforeCaption).not.toContain(EOS);
    expect(loud.info.caption).toBe('loud');
  });

  it('reads a manifest, splits ten films whole, and leaves out bad ones', () => {
    file('film.gray', Buffer.concat(frames));
    file('small.y4m', y4m([new Uint8Array(64)], { side: 8 }));
    file('cut.wav', '');
    for (let i = 0; i < 10; i++) file(`film ${i}.gray`, Buffer.concat(frames));
    const good = Array.from({ length: 10 }, (_, i) =>
      JSON.stringify({ video: `film ${i}.gray`, caption: `film ${i}` }),
    );
    const bad = [
      '{',
      '{"audio":"x.wav"}',
      '{"video":3}',
      '{"video":"small.y4m"}',
      '{"video":"no.y4m"}',
      '{"video":"film.gray","audio":"cut.wav"}',
      JSON.stringify({ video: 'film.gray', caption: 'x'.repeat(64) }),
    ];
    const path = file('films.jsonl', [...bad, ...good].join('\n'));
    const source = openVideo([path], size, { fps: 4 });
    const inFolder = (name: string) => join(folder, name);
    expect(source.leftOut.count).toBe(7);
    expect(source.leftOut.reasons[0]).toContain(`${path}:1: not JSON`);
    expect(source.leftOut.reasons[3]).toContain(`${path}:4: ${inFolder('small.y4m')}: frames are 8 x 8`);
    expect(source.leftOut.reasons.filter((_, i) => i !== 0 && i !== 3)).toEqual([
      `${path}:2: has no "video", the path of a film`,
      `${path}:3: "video" must be text`,
      `${path}:5: ${inFolder('no.y4m')}: there is no such file`,
      `${path}:6: ${inFolder('cut.wav')}: is empty; a WAV file is needed`,
      `${path}:7: ${inFolder('film.gray')}: the caption is 64 bytes, with its EOS 65; there is room for 64`,
    ]);
    expect([source.trainCount, source.validationCount]).toEqual([9 * 19, 19]);
    expect(new Set([0, 9, 18].map((i) => source.validation(i).info.caption))).toEqual(new Set(['film 9']));
    expect(() => openVideo([path], size, { strict: true })).toThrow('films.jsonl:1: not JSON');
    const strict = () => openVideo([file('one.jsonl', `${good[0]}\n${bad[4]}`)], size, { strict: true });
    expect(strict).toThrow(`${inFolder('one.jsonl')}:2: ${inFolder('no.y4m')}: there is no such file`);
  });

  it('splits by film: all lines about one are on one side, or are cut at one position', () => {
    for (let i = 0; i < 10; i++) file(`film ${i}.gray`, Buffer.concat(frames));
    const about = (film: number, caption: string) => `${JSON.stringify({ video: `film ${film}.gray`, caption })}\n`;
    const pairs = Array.from({ length: 10 }, (_, i) => about(i, `film ${i}`) + about(i, `again ${i}`));
    const twice = openVideo([file('twice.jsonl', pairs.join(''))], size);
    const heldOut = `${join(folder, 'film 9.gray')}, frames 0 to 19`;
    expect(twice.split!.validation).toEqual([heldOut, heldOut]);
    expect(twice.split!.train).not.toContain(heldOut);
    expect(twice.describe()).toContain('10 films');

    const ten = Array.from({ length: 10 }, (_, i) => about(0, `line ${i}`)).join('');
    const one = openVideo([file('one film.jsonl', ten)], size);
    expect(new Set(one.split!.train)).toEqual(new Set([`${join(folder, 'film 0.gray')}, frames 0 to 17`]));
    expect(new Set(one.split!.validation)).toEqual(new Set([`${join(folder, 'film 0.gray')}, frames 18 to 19`]));
  });

  it('leaves out a subtitle without room, and says when nothing is left', () => {
    const short = '1\n00:00:00,000 --> 00:00:01,000\nword\n\n';
    file('wordy.srt', `${short}2\n00:00:01,000 --> 00:00:02,000\n${'word '.repeat(20)}\n`);
    const source = openVideo([file('wordy.y4m', film)], size);
    expect(source.leftOut.reasons).toEqual([
      `${join(folder, 'wordy.srt')}:5: the caption is 99 bytes, with its EOS 100; there is room for 64`,
    ]);
    expect(() => openVideo([file('short.y4m', y4m(frames.slice(0, 3)))], size)).toThrow(
      'no validation frames are left: a window needs two',
    );
    expect(() => openVideo([], size)).toThrow('no train frames are left');
    expect(() => openVideo([file('s.y4m', film)], { prefix: 256, stream: 128 })).toThrow(
      /a window of 256\+128 bytes is too small: .*each needs at least 320$/,
    );
  });
});
