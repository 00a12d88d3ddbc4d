// An HTTP server; /file goes through the thread pool, /child starts a process, /worker a thread. Ends on SIGTERM.
const { execFile } = require("node:child_process");
const fs = require("node:fs");
const http = require("node:http");
const { Worker } = require("node:worker_threads");

const server = http.createServer((request, response) => {
  if (request.url === "/file") {
    fs.writeFile("/tmp/file", Buffer.alloc(65536), () => fs.readFile("/tmp/file", (error, data) => response.end(String(data.length))));
  } else if (request.url === "/child") {
    execFile(process.execPath, ["-p", "process.arch"], (error, output) => response.end(error ? String(error) : output));
  } else if (request.url === "/worker") {
    const worker = new Worker("require('node:worker_threads').parentPort.postMessage(6 * 7)", { eval: true });
    worker.on("message", (answer) => response.end(String(answer)));
  } else {
    response.end("ready");
  }
});
process.on("SIGTERM", () => { server.closeAllConnections(); server.close(() => process.exit(0)); });
server.listen(8080);
