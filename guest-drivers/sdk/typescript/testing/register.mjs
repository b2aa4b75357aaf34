// Lets plain Node run a driver's tests: `node --import cofferdam-driver/testing --test test/*.test.ts`. See hooks.mjs.
import { register } from 'node:module';

register('./hooks.mjs', import.meta.url);
