// `npm start`: brings the local stack up, says where to click, and shows a line per request until it is
// told to stop.
import { banner } from './banner.ts';
import { startChild } from './child.ts';
import { cleanEnvironment } from './environment.ts';
import { editableConfig } from './own-config.ts';
import { audit } from './programs.ts';
import { ASKED, runStack } from './run-stack.ts';
import { BRISK, type Running } from './stack.ts';

const hasColour = process.stdout.isTTY && !process.env['NO_COLOR'];
const bold = (text: string) => (hasColour ? `\x1b[1m${text}\x1b[0m` : text);

await runStack({ deadlines: BRISK, configFile: editableConfig }, async (running, over) => {
  // Asked for before the banner is there to be clicked at: the first request has its line too.
  const lines = followAudit(running, new Date().toISOString());
  console.log(banner(running, process.cwd(), bold));
  const why = await over;
  // Here, too: what has ended is told on stderr with the end of its log, which may go elsewhere.
  console.log(why === ASKED ? 'Stopping …' : `Stopping all, because ${why} …`);
  return { code: why === ASKED ? 0 : 1, afterwards: () => lines.stop(1_000) };
});

function followAudit({ folder }: Running, since: string) {
  const program = audit(folder, '--follow', '--since', since, '--format', 'line');
  return startChild({ ...program, env: cleanEnvironment(process.env, program.env) });
}
