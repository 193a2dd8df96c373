import { arch, platform } from 'node:process';
import type { Device } from '../../device/device.js';
import type { OpenedData } from './data.js';
import { decoderConfigOf, type TrainOptions, withAbsolutePaths } from './options.js';
import { fingerprint } from './resume.js';
import { parameterCounts } from './train.js';

/** The content of a run folder's config.json: the options, and the environment of the run. */
export function runConfig(options: TrainOptions, data: OpenedData, device: Device, version: string) {
  return {
    options: withAbsolutePaths(options),
    decoder: decoderConfigOf(options),
    parameters: parameterCounts(options),
    data: data.describe(),
    data_sha256: fingerprint(data),
    ...(data.entropy !== undefined && { order0_entropy: data.entropy }),
    left_out: data.leftOut,
    adapter: { name: device.name, driver: device.driver, kind: device.kind },
    versions: { 'byte-to-loss': version, node: process.version, platform: `${platform} ${arch}` },
  };
}
