import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { installNavigator, serve } from './worker.js';
import { ADAM, VOCABULARY, weightsOf } from './workload.js';

const require = createRequire(import.meta.url);

/** The backend follows from the device: `wasm`, or one of our own device names for WebGPU. */
await serve(async (workload, device) => {
  const { B, T, dim, heads, layers } = workload;
  const backend = device === 'wasm' ? 'wasm' : 'webgpu';
  const adapter = device === 'wasm' ? 'wasm' : await installNavigator(device);
  const tf = require('@tensorflow/tfjs');
  const loaded = require(`@tensorflow/tfjs-backend-${backend}`);
  if (backend === 'wasm') loaded.setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}/`);
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js: the backend ${backend} did not start`);
  // biome-ignore lint/suspicious/noExplicitAny: loaded by require
  type Any = any;

  const p: Record<string, Any> = {};
  for (const [name, { shape, data }] of weightsOf(workload)) p[name] = tf.variable(tf.tensor(data, shape), true, name);
  const visible = tf.linalg
    .bandPart(tf.ones([T, T]), -1, 0)
    .cast('bool')
    .reshape([1, 1, T, T])
    .tile([B, heads, 1, 1]);
  const hidden = tf.fill([B, heads, T, T], -1e9);

  const normed = (x: Any, name: string) => {
    const { mean, variance } = tf.moments(x, -1, true);
    return x.sub(mean).mul(variance.add(1e-5).rsqrt()).mul(p[`${name}.weight`]).add(p[`${name}.bias`]);
  };
  const linear = (x: Any, name: string) => x.matMul(p[`${name}.weight`]).add(p[`${name}.bias`]);
  const split = (x: Any) => x.reshape([B, T, heads, dim / heads]).transpose([0, 2, 1, 3]);
  const gelu = (x: Any) => {
    const inner = x
      .mul(x)
      .mul(0.044715)
      .add(1)
      .mul(x)
      .mul(Math.sqrt(2 / Math.PI));
    return inner.tanh().add(1).mul(x).mul(0.5);
  };
  const attend = (x: Any, name: string) => {
    const [q, k, v] = tf.split(linear(x, `${name}.qkv`), 3, -1).map(split);
    const scores = tf.matMul(q, k, false, true).mul(Math.sqrt(heads / dim));
    const shares = tf.softmax(tf.where(visible, scores, hidden));
    return linear(
      tf
        .matMul(shares, v)
        .transpose([0, 2, 1, 3])
        .reshape([B * T, dim]),
      `${name}.out`,
    );
  };
  const oneHot = (ids: Any) => tf.oneHot(ids, VOCABULARY).cast('float32');
  const lossOf = (x: Any, y: Any) => {
    // Its wasm backend has no gradient of gather.
    const rows = backend === 'wasm' ? tf.matMul(oneHot(x), p.bytes) : tf.gather(p.bytes, x);
    let h = rows
      .reshape([B, T, dim])
      .add(p.positions)
      .reshape([B * T, dim]);
    for (let i = 0; i < layers; i++) {
      const block = `blocks.${i}`;
      h = h.add(attend(normed(h, `${block}.norm1`), `${block}.attention`));
      h = h.add(linear(gelu(linear(normed(h, `${block}.norm2`), `${block}.mlp.up`)), `${block}.mlp.down`));
    }
    const logits = normed(h, 'norm').matMul(p.head);
    return tf
      .logSoftmax(logits)
      .mul(oneHot(y))
      .sum()
      .mul(-1 / (B * T));
  };

  const { lr, beta1, beta2, eps } = ADAM;
  const adam = tf.train.adam(lr, beta1, beta2, eps);
  return {
    adapter,
    async step(x, y) {
      const cost = tf.tidy(() => {
        const [bytes, next] = [tf.tensor1d(x, 'int32'), tf.tensor1d(y, 'int32')];
        return adam.minimize(() => lossOf(bytes, next), true);
      });
      const [nats] = await cost.data();
      cost.dispose();
      // The loss is ready before the update is.
      if (backend === 'webgpu') await tf.backend().queue.onSubmittedWorkDone();
      return nats;
    },
  };
});
