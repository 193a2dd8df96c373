import type { Device } from '../../src/device/device.js';

const SECTIONS = [
  ['text-title', 'Text'],
  ['channels-title', 'Channels'],
  ['attention-title', 'Attention'],
  ['ops-title', 'Ops and kernels'],
  ['gradients-title', 'Gradients'],
  ['train-title', 'Training'],
  ['puzzles-title', 'Puzzles'],
] as const;

interface Props {
  readonly device: Device | undefined;
  /** why there is no device at all */
  readonly missing: string;
  /** why it is not the browser's WebGPU */
  readonly without: string;
}

/** The title of the page, its device, and links to its sections. */
export function Header({ device, missing, without }: Props) {
  return (
    <header>
      <h1>Follow a byte to its loss</h1>
      <p class="lead">
        A small decoder reads bytes and says how surprised it is by each. It runs in this browser. Every number on the
        way can be opened, and every kernel stepped through line by line.
      </p>
      <nav aria-label="Sections">
        {SECTIONS.map(([id, name]) => (
          <a key={id} href={`#${id}`}>
            {name}
          </a>
        ))}
      </nav>
      <p class="facts" id="device" data-device={device?.driver}>
        {device !== undefined ? (
          <>
            <span class="dot" /> running on {device.name}
            {device.driver === 'wasm' && ': the same kernels, compiled to WebAssembly by this page'}
            {device.kind === 'cpu' && device.driver !== 'wasm' && ', a software driver, which is slow'}
          </>
        ) : missing === '' ? (
          'looking for a device…'
        ) : (
          ''
        )}
      </p>
      {without !== '' && (
        <p class="facts" id="without-webgpu">
          {without}
        </p>
      )}
      {missing !== '' && (
        <p role="alert" id="no-device">
          <b>No device to run on.</b> {missing} The channels below need none and are computed without it.
        </p>
      )}
    </header>
  );
}
