#!/usr/bin/env node
import { labCommand } from './cli.js';

process.exitCode = await labCommand(process.argv.slice(2));
