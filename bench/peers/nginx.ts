// nginx that answers 204 and writes each body to its log: the lowest cost of an event over HTTP, without a key and
// without a durable write.
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { findBinary } from '../../test/helpers/find-binary.js'
import { freePort } from '../../test/helpers/free-port.js'
import type { Server } from '../rounds.js'

/** Without the mirror, nginx would not read the body. `empty_gif` refuses POST with 405. */
const configOf = (port: number) => `
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr;
events { worker_connections 1024; }
http {
  log_format body escape=none '$request_body';
  access_log off;
  client_body_buffer_size 64k;
  client_body_temp_path bodies;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {
    listen 127.0.0.1:${port};
    keepalive_requests 1000000000;
    location / {
      mirror /read;
      empty_gif;
      error_page 405 =204 @accepted;
    }
    location = /read { internal; return 204; }
    location @accepted { access_log events.log body; return 204; }
  }
}
`

export async function startNginx (): Promise<Server> {
  const binary = await findBinary('nginx')
  if (binary === null) throw new Error('This bench needs nginx: apt-get install nginx-light')
  const [folder, port] = [await mkdtemp(join(tmpdir(), 'nginx-')), await freePort()]
  await writeFile(join(folder, 'nginx.conf'), configOf(port))
  const child = spawn(binary, ['-p', folder, '-c', 'nginx.conf'], { stdio: ['ignore', 'ignore', 'inherit'] })
  child.once('exit', () => { rm(folder, { recursive: true, force: true }).catch(() => {}) })
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await sleep(20)) {
    if (await fetch(`http://127.0.0.1:${port}`).then(() => true, () => false)) break
    if (child.exitCode !== null) throw new Error('nginx did not start')
  }
  return { port, process: child, stop: () => child.kill('SIGTERM') }
}
