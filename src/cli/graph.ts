import { Command } from 'commander';
import { writeFileAtomic } from '../common/atomicWrite.js';
import { InputError } from '../common/errors.js';
import { programGraph } from '../inspect/graph.js';
import { SIZES } from '../model/config.js';
import { initialParameters } from '../model/parameters.js';
import { path } from './arguments.js';
import { type DeviceFlags, onDevice, withDevice } from './device.js';
import { graphPage, graphSvgFile } from './inspect/graphPage.js';
import { inspect } from './inspect/inspection.js';
import { textWindow } from './inspect/window.js';
import { CHECKPOINT_HELP, chosenWeights } from './weights.js';

interface GraphFlags extends DeviceFlags {
  readonly text: string;
  readonly checkpoint?: string;
  readonly fresh?: boolean;
  readonly fold?: boolean;
  readonly out: string;
}

/** `byte-to-loss graph`: forward and backward of one pass as a drawing. */
export function graphCommand(): Command {
  return withDevice(
    new Command('graph').description('forward and backward of one pass as a drawing, each op with shape and time'),
  )
    .option('--text <text>', 'the bytes of the pass', 'Call me Ishmael.')
    .option('--checkpoint <file>', CHECKPOINT_HELP, path)
    .option('--fresh', 'a decoder that has learned nothing yet')
    .option('--fold', 'draw each block as one node')
    .option(
      '--out <file>',
      'an .html page, which lists every op below the drawing, or the .svg alone',
      path,
      'graph.html',
    )
    .action(async (flags: GraphFlags) => {
      const { checkpoint, fresh, out } = flags;
      if (fresh && checkpoint !== undefined) throw new InputError('give --fresh or --checkpoint, not both');
      if (!/\.(html|svg)$/.test(out)) throw new InputError(`--out must end in .html or .svg; got ${out}`);
      const config = { door: 'zero', ...SIZES.tiny } as const;
      const weights = fresh
        ? { config, parameters: initialParameters(config, 0), prefix: 128, stream: 128 }
        : chosenWeights(checkpoint, undefined);
      const window = textWindow(flags.text, { ...weights, K: weights.config.K });
      await onDevice(flags, async (device) => {
        const { trace } = await inspect(device, { ...weights, origin: '' }, window);
        const blocks = weights.config.layers;
        const folded = new Set(flags.fold ? Array.from({ length: blocks }, (_, i) => `blocks.${i}`) : []);
        const graph = programGraph(trace, folded);
        writeFileAtomic(out, out.endsWith('.svg') ? graphSvgFile(graph) : graphPage(graph, trace, device.name));
        console.log(`${out}: ${graph.nodes.length} nodes; open it in a browser`);
      });
    });
}
