import { Command } from 'commander';
import { writeReport } from '../report/report.js';
import { path } from './arguments.js';

/** `byte-to-loss report`: a run as one HTML file, or several runs overlaid. */
export function reportCommand(): Command {
  return new Command('report')
    .description("write a run's report, or overlay several runs in one")
    .argument('<run...>', 'run folders')
    .option('--out <file>', 'the HTML file (default: report.html in the run folder, or here for several)', path)
    .action((runs: string[], { out }: { out?: string }) => {
      console.log(`report: ${writeReport(runs, out)}`);
    });
}
