// Runs the `main` of a program that needs nothing of its host. A panic is a trap, which ends the process with an error.
import { readFile } from "node:fs/promises";

const { module, instance } = await WebAssembly.instantiate(await readFile(process.argv[2]), {});
const imports = WebAssembly.Module.imports(module);
if (imports.length > 0) {
  throw new Error(`it imports ${JSON.stringify(imports)}`);
}
const code = instance.exports.main(0, 0);
if (code !== 0) {
  throw new Error(`it returned ${code}`);
}
