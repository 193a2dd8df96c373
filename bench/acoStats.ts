/** The pipeline of the following statistics. */
export interface Pipeline {
  /** the model of the step: `tiny`, `small`, `lean` */
  readonly size: string;
  readonly precision: string;
  readonly shader: string;
  readonly constants: Readonly<Record<string, number>>;
}

/**
 * The compiler's statistics of one pipeline. Registers are 32 bits a lane; scratch and workgroup memory are in bytes.
 */
export interface Statistics extends Pipeline {
  /** vector registers: past 256 they spill; fewer registers allow more concurrent waves */
  readonly registers: number;
  readonly spilled: number;
  /** of a wave, in global memory: arrays indexed by a variable, and spilled registers */
  readonly scratch: number;
  readonly workgroupMemory: number;
  /** waves that one SIMD unit holds at once */
  readonly waves: number;
  readonly instructions: number;
  /** loads and stores that go to memory */
  readonly memoryInstructions: number;
}

const MARKER = '##PIPELINE ';

/** The line before a pipeline's statistics. */
export function markerOf(pipeline: Pipeline): string {
  return `\n${MARKER}${JSON.stringify(pipeline)}\n`;
}

const FIELDS = {
  registers: 'VGPRs',
  spilled: 'Spilled VGPRs',
  scratch: 'Scratch size',
  workgroupMemory: 'LDS size',
  waves: 'Subgroups per SIMD',
  instructions: 'Instructions',
  memoryInstructions: 'VMEM',
} as const;

/**
 * Read what `RADV_DEBUG=shaderstats` prints, one block after each marker.
 *
 * @throws Error when a pipeline has no statistics: the driver's format changed, or it compiled nothing
 */
export function readStatistics(text: string): Statistics[] {
  return text
    .split(`\n${MARKER}`)
    .slice(1)
    .map((block) => {
      const end = block.indexOf('\n');
      const pipeline = JSON.parse(block.slice(0, end)) as Pipeline;
      const numbers = Object.entries(FIELDS).map(([name, label]) => {
        const found = new RegExp(`^${label}: (\\d+)$`, 'm').exec(block.slice(end));
        if (found === null) throw new Error(`${pipeline.shader}: the driver printed no "${label}"`);
        return [name, Number(found[1])];
      });
      return { ...pipeline, ...Object.fromEntries(numbers) } as Statistics;
    });
}

/** Does a kernel use neither spills nor scratch? */
export function fits({ spilled, scratch }: Statistics): boolean {
  return spilled === 0 && scratch === 0;
}

/** One line per pipeline, columns aligned; those that do not fit are marked. */
export function table(rows: readonly Statistics[]): string {
  const heading = ['VGPRs', 'spilled', 'scratch', 'LDS', 'waves', 'instr', 'VMEM', 'pipeline'];
  const lines = rows.map((row) => {
    const { registers, spilled, scratch, workgroupMemory, waves, instructions, memoryInstructions } = row;
    const constants = Object.entries(row.constants).map(([name, value]) => `${name}=${value}`);
    return [
      ...[registers, spilled, scratch, workgroupMemory, waves, instructions, memoryInstructions].map(String),
      `${fits(row) ? '' : '(!) '}${row.size} ${row.precision} ${row.shader} ${constants.join(' ')}`.trim(),
    ];
  });
  const widths = heading.map((_, i) => Math.max(...[heading, ...lines].map((line) => line[i]!.length)));
  const last = heading.length - 1;
  return [heading, ...lines]
    .map((line) => line.map((cell, i) => (i === last ? cell : cell.padStart(widths[i]!))).join('  '))
    .join('\n');
}
