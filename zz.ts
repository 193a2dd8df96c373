import { examine } from './src/doctor/doctor.js';
import { training } from './src/doctor/training.js';
import { openDevice } from './src/device/adapters.js';
import { writeFileSync } from 'node:fs';
const e = await examine({ version: '0', minutes: 4, open: () => openDevice({ device: 'system' }), parts: [training] });
writeFileSync('/tmp/card/lvtrain.json', JSON.stringify(e));
console.log(e.reports[0]!.summary, e.reports[0]!.faults, e.reports[0]!.notes, JSON.stringify(e.reports[0]!.tables, null, 1));
process.exit(0);
