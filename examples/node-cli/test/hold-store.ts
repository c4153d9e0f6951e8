/** Opens the local store of a user, prints `open`, and holds it. Arguments: where, as for `openLocalStore`; the user. */
import { openLocalStore } from '@tidemark/client/node';

const [uri = '', userId = ''] = process.argv.slice(2);
await openLocalStore(uri, userId).load();
process.stdout.write('open\n');
setInterval(() => undefined, 60_000);
