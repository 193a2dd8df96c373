#!/usr/bin/env node
import './cli/holdNewSpace.js';

const { main } = await import('./cli/main.js');

process.exitCode = await main(process.argv.slice(2));
