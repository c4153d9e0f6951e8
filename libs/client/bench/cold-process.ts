/** One cold start, as a process of its own: prints `ColdMs` as JSON. Arguments: directory, name of the query. */
import { coldMs, type QueryName } from './first-result.ts';

const [directory = '', name = ''] = process.argv.slice(2);
process.stdout.write(JSON.stringify(await coldMs(directory, name as QueryName)));
