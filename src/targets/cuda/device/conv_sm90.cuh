// SPDX-License-Identifier: Apache-2.0
// Implicit-GEMM convolutions and matrix products for Hopper (sm_90a): persistent, warp-specialised,
// TMA in and out, wgmma.
//
//   Y[pixel][channel] = epilogue(sum_k X[pixel][k] * W[channel][k]),   f32 accumulation
//
// f16, bf16 or tf32 in and out, NHWC. The product is computed transposed: wgmma's M side (multiples
// of 64) holds output channels, its N side (multiples of 8) holds pixels. Channel counts are round
// numbers and pixel counts are not, so the free side goes to the pixels and the pixel tile can be
// chosen to fill the last wave of SMs (20,769 pixels / 160 = 130 tiles for 132 SMs).
//
// Warpgroup 0 moves data: one thread issues the tile loads, one the residual loads, one the stores.
// Warpgroups 1.. consume. The emitter puts behind this text: Mma for the pixel tile, the epilogue
// functor, and
//   extern "C" __global__ __launch_bounds__(T::threads, T::ctas)
//   void kernel(const __grid_constant__ sm90::Conv p) { sm90::conv<T, Epilogue, im2col>(p); }
//
// Measured on an H200, all convolutions of FCN-ResNet-101 at 1026x1282 (f16): 3.83 ms against 4.58
// of cuDNN's best fused plans. What that taught:
// - TMA im2col covers padding, stride and dilation: the base pixel is q * stride - pad, the tap is
//   the offset s * dilation, the box corners are -pad and pad - (taps - 1) * dilation.
// - A residual is prefetched by TMA into the slab that the epilogue rewrites in place and stores
//   from: 29 us where a tile with room for only a part of it takes 53 and cuDNN 44.
// - Ping-pong needs a turn barrier for correctness, not only for speed (see sm90::Ring).
// - Clusters pay for big K and big M only; else weights are in L2 anyway and the coupling costs.
// - Shared memory is the next wall after the tensor cores: 128x160 needs 90 bytes a clock for
//   operands and 58 for the copy engine, 128 exist. Bigger tiles help, smaller N hurts.
// - Did not help: walking the tiles backwards (to meet the last output in L2), programmatic launch
//   (nothing can move in while a CTA holds 200 KB of shared memory), 2x2 clusters.
#pragma once
#include "ptx_sm90.cuh"

namespace sm90 {

struct Conv {  // kernel parameter; the tensor maps must stay in parameter (constant) space
  TensorMap w, x, y, residual;
  const float* channel;       // Epilogue::channels rows of `channels` values
  int channels;               // output channels
  int tiles_c, tiles_p;       // channel tiles / share_p; pixel tiles / share_w (rounded up)
  int cblocks, taps, taps_w;  // input channels / 128 bytes; filter taps; of them in a row
  int q, pq;                  // output width; output height * width
  int stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w;
};

template <Type type_, int channels_, int pixels_, int stages_, int consumers_, int share_w_,
          int share_p_, bool ping_pong_, int slab_pixels_, int slabs_, int ctas_>
struct Tile {
  static constexpr Type type = type_;
  static constexpr int channels = channels_, pixels = pixels_;  // of one tile
  static constexpr int stages = stages_;                        // depth of the load ring
  static constexpr int consumers = consumers_;                  // warpgroups
  // Cluster: share_w CTAs share a weight tile, share_p CTAs share a pixel tile.
  static constexpr int share_w = share_w_, share_p = share_p_, cluster = share_w * share_p;
  // Each consumer owns whole tiles, so that epilogue and main loop overlap.
  static constexpr bool ping_pong = ping_pong_;
  // The epilogue goes through slabs of 64 channels x slab_pixels; `slabs` a consumer.
  static constexpr int slab_pixels = slab_pixels_, slabs = slabs_;
  static constexpr int ctas = ctas_;  // an SM
  static constexpr int size = type == Type::tf32 ? 4 : 2;
  static constexpr int depth = 128 / size;  // of a k block: rows of 128 bytes
  static constexpr int threads = 128 * (consumers + 1);
  static constexpr int blocks = channels / 64 / (ping_pong ? 1 : consumers);  // m64, a consumer
  static constexpr int tile_slabs = blocks * (pixels / slab_pixels);          // a consumer and tile
  static constexpr int w_bytes = channels * 128, x_bytes = pixels * 128, stage = w_bytes + x_bytes;
  static constexpr int parts = 64 * size / 128;  // a slab is this many boxes of 128-byte rows
  static constexpr int part = slab_pixels * 128, slab = part * parts;
  static constexpr int bars = 2 * stages + 3 * consumers * slabs + consumers;
  static constexpr int shared = stages * stage + consumers * slabs * slab + 8 * bars;
  static constexpr int producer_registers = ctas > 1 ? 40 : 56;
  // A CTA has the registers that it was launched with, no more: a warpgroup that asked for one too
  // many would wait for ever. They are given out in multiples of 8 a thread.
  static constexpr int launched = 65536 / ctas / threads / 8 * 8 * threads;
  static constexpr int fair = (launched - 128 * producer_registers) / (128 * consumers) / 8 * 8;
  static constexpr int consumer_registers = fair < 240 ? fair : 240;
  static_assert(pixels % slab_pixels == 0 && slab_pixels % 16 == 0, "slabs");
  static_assert(channels % (64 * (ping_pong ? 1 : consumers)) == 0, "blocks");
  static_assert(shared * ctas <= 227 * 1024, "shared memory");
};

// One slab: 64 channels of accumulators, epilogue applied, residual read from where the result
// goes.
template <class T, class E>
TENREC_DEVICE void write_slab(const float* acc, const float (*channel)[E::channels + 1], u32 slab,
                              int warp, int lane) {
  if constexpr (T::size == 2) {
    // Lane l addresses row l % 8 (a pixel) of 8x8 block l / 8; blocks: channels +0, +8, then the
    // next 8 pixels.
    const u32 base =
        slab + (lane / 16 * 8 + lane % 8) * 128 + ((warp * 2 + lane / 8 % 2) ^ (lane % 8)) * 16;
#pragma unroll
    for (int j = 0; j < T::slab_pixels / 16; ++j) {
      const float* v = acc + j * 8;
      u32 r[4] = {0, 0, 0, 0};
      if (E::full) load_matrix_t(r, base + j * 2048);
#pragma unroll
      for (int h = 0; h < 4; ++h) {
        const float lo[2] = {low_part<T::type>(r[h]), 0}, hi[2] = {high_part<T::type>(r[h]), 0};
        r[h] = pack<T::type>(E::apply(v[h * 2], channel[h % 2], lo),
                             E::apply(v[h * 2 + 1], channel[h % 2], hi));
      }
      store_matrix_t(base + j * 2048, r);
    }
  } else {
    // 32 channels a part. In one instruction lanes touch 8 channels (two 16-byte chunks) of pixels
    // 0, 2, 4, 6: the swizzle puts them into 32 different banks.
#pragma unroll
    for (int j = 0; j < T::slab_pixels / 8; ++j)
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const int h = i / 2, pixel = j * 8 + lane % 4 * 2 + i % 2;
        const int chunk = warp % 2 * 4 + h * 2 + lane / 16;
        const u32 at =
            slab + warp / 2 * T::part + pixel * 128 + (chunk ^ pixel % 8) * 16 + lane / 4 % 4 * 4;
        const float residual[2] = {E::full ? load_shared(at) : 0, 0};
        store_shared(at, E::apply(acc[j * 4 + i], channel[h], residual));
      }
  }
}

// Where a CTA and its threads stand: shared memory, place in the cluster, tiles.
template <class T>
struct Place {
  u32 ring, slabs;  // of loads; of the epilogue
  // Barriers: of stages; of slabs; of the consumers' turns.
  u32 full, empty, slab_full, slab_empty, slab_written, order;
  int warp, lane;  // in the warpgroup; in the warp
  int rank_w, rank_p;
  int first, step, tiles, tiles_c, kblocks;

  __device__ __forceinline__ Place(const Conv& p, const void* shared) {
    ring = shared_address(shared), slabs = ring + T::stages * T::stage;
    full = slabs + T::consumers * T::slabs * T::slab, empty = full + 8 * T::stages;
    slab_full = empty + 8 * T::stages;
    slab_empty = slab_full + 8 * T::consumers * T::slabs;
    slab_written = slab_empty + 8 * T::consumers * T::slabs;
    order = slab_written + 8 * T::consumers * T::slabs;
    warp = threadIdx.x / 32 % 4, lane = threadIdx.x % 32;
    const int rank = T::cluster > 1 ? cluster_rank() : 0;
    rank_w = rank % T::share_w, rank_p = rank / T::share_w;
    first = blockIdx.x / T::cluster, step = gridDim.x / T::cluster;
    tiles = p.tiles_c * p.tiles_p, tiles_c = p.tiles_c, kblocks = p.taps * p.cblocks;
  }

  // Channel tiles vary fastest: the CTAs that run together read the same pixels (large) and all
  // weights (small, in L2).
  __device__ __forceinline__ int channel_of(int t) const {
    return (t % tiles_c * T::share_p + rank_p) * T::channels;
  }
  __device__ __forceinline__ int pixel_of(int t) const {
    return (t / tiles_c * T::share_w + rank_w) * T::pixels;
  }
};

template <class T, class E>
TENREC_DEVICE void set_up(const Place<T>& at, const Conv& p) {
  if (threadIdx.x == 32) {  // fetching a descriptor takes about as long as a load: start early
    prefetch(p.w), prefetch(p.x), prefetch(p.y);
    if (E::full) prefetch(p.residual);
  }
  if (threadIdx.x == 0) {
    for (int i = 0; i < T::stages; ++i) {
      bar_init(at.full + 8 * i, 1);
      // Every consumer warp releases a stage itself, to each CTA that writes into this one's
      // stages.
      bar_init(at.empty + 8 * i,
               4 * (T::ping_pong ? 1 : T::consumers) * (T::share_w + T::share_p - 1));
    }
    for (int i = 0; i < T::consumers * T::slabs; ++i) {
      bar_init(at.slab_full + 8 * i, 1), bar_init(at.slab_empty + 8 * i, 1);
      bar_init(at.slab_written + 8 * i, 4);
    }
    for (int i = 0; i < T::consumers; ++i) bar_init(at.order + 8 * i, 4);
    bar_init_done();
  }
  if (T::cluster > 1) cluster_sync();
  else __syncthreads();
}

// One thread fills the ring: pixels and weights of every k block of every tile. In a cluster each
// CTA fetches one slice of a shared tile and sends it to all that share it.
template <class T, bool im2col>
TENREC_DEVICE void load_tiles(const Place<T>& at, const Conv& p) {
  Ring stage{T::stages};
  u16 pixel_mask = 0;
  for (int i = 0; i < T::share_p; ++i) pixel_mask |= 1 << (at.rank_w + i * T::share_w);
  const u16 weight_mask = ((1 << T::share_w) - 1) << (at.rank_p * T::share_w);
  for (int t = at.first; t < at.tiles; t += at.step) {
    const int channel = at.channel_of(t) + at.rank_w * (T::channels / T::share_w);
    const int pixel = at.pixel_of(t) + at.rank_p * (T::pixels / T::share_p);
    const int image = pixel / p.pq, row = pixel % p.pq / p.q, col = pixel % p.q;
    const int h = row * p.stride_h - p.pad_h, v = col * p.stride_w - p.pad_w;
    for (int tap = 0; tap < p.taps; ++tap)
      for (int cb = 0; cb < p.cblocks; ++cb, stage.advance()) {
        const u32 w = at.ring + stage.slot * T::stage, x = w + T::w_bytes;
        const u32 bar = at.full + 8 * stage.slot;
        bar_wait(at.empty + 8 * stage.slot, stage.phase ^ 1);  // the first round passes at once
        bar_expect(bar, T::stage);
        const u32 x_slice = x + at.rank_p * (T::x_bytes / T::share_p);
        if (im2col) {  // walks output pixels, applies the stride, zero-fills the padding
          const Tap tap_at = {cb * T::depth,
                              v,
                              h,
                              image,
                              (u16)(tap % p.taps_w * p.dilation_w),
                              (u16)(tap / p.taps_w * p.dilation_h)};
          load_im2col<(T::share_p > 1)>(x_slice, p.x, bar, tap_at, pixel_mask);
        } else {
          load_2d<(T::share_p > 1)>(x_slice, p.x, bar, cb * T::depth, pixel, pixel_mask);
        }
        load_2d<(T::share_w > 1)>(w + at.rank_w * (T::w_bytes / T::share_w), p.w, bar,
                                  (tap * p.cblocks + cb) * T::depth, channel, weight_mask);
      }
  }
}

struct Slab {
  int index;           // of all slabs of the CTA
  int round;           // how often it has been used
  int channel, pixel;  // what it holds
  bool last;           // of its tile
};

// Every slab that the CTA's consumers fill, in the order in which they do.
template <class T, class Visit>
TENREC_DEVICE void each_slab(const Place<T>& at, const Visit& visit) {
  constexpr int across = T::pixels / T::slab_pixels;
  int count[T::consumers] = {}, turn = 0;
  for (int t = at.first; t < at.tiles; t += at.step, ++turn)
    for (int s = 0; s < T::tile_slabs; ++s)
#pragma unroll
      for (int w = 0; w < T::consumers; ++w) {
        if (T::ping_pong && turn % T::consumers != w) continue;
        const int block = (T::ping_pong ? 0 : w * T::blocks) + s / across;
        visit(Slab{w * T::slabs + count[w] % T::slabs, count[w] / T::slabs,
                   at.channel_of(t) + block * 64, at.pixel_of(t) + s % across * T::slab_pixels,
                   s == T::tile_slabs - 1 && (T::ping_pong || w == T::consumers - 1)});
        ++count[w];
      }
}

// The residual arrives in the slabs that the epilogue later overwrites and stores from.
template <class T>
TENREC_DEVICE void load_residuals(const Place<T>& at, const Conv& p) {
  each_slab(at, [&](const Slab& slab) {
    const u32 bar = at.slab_full + 8 * slab.index;
    bar_wait(at.slab_empty + 8 * slab.index, slab.round % 2 ^ 1);
    bar_expect(bar, T::slab);
    for (int part = 0; part < T::parts; ++part)
      load_2d(at.slabs + slab.index * T::slab + part * T::part, p.residual, bar,
              slab.channel + part * T::depth, slab.pixel);
  });
}

template <class T>
TENREC_DEVICE void store_slab(const Place<T>& at, const Conv& p, const Slab& slab) {
  for (int part = 0; part < T::parts; ++part)
    store_2d(p.y, at.slabs + slab.index * T::slab + part * T::part, slab.channel + part * T::depth,
             slab.pixel);
  stores_commit();
}

// With a residual, a thread of its own stores the slabs and hands them to the residual loader: a
// consumer that waited for its stores would come late to its next main loop. Without one, it
// measured 2 to 10 % slower than storing in the consumer.
template <class T>
TENREC_DEVICE void store_slabs(const Place<T>& at, const Conv& p) {
  int previous = -1;
  each_slab(at, [&](const Slab& slab) {
    bar_wait(at.slab_written + 8 * slab.index, slab.round % 2);
    store_slab(at, p, slab);
    if (previous >= 0) stores_read<1>(), bar_arrive(at.slab_empty + 8 * previous);
    previous = slab.index;
    if (slab.last) stores_read<0>(), bar_arrive(at.slab_empty + 8 * previous), previous = -1;
  });
  stores_read<0>();
}

// A consumer warp is done with a stage.
template <class T>
TENREC_DEVICE void release(const Place<T>& at, int slot) {
  // Lanes below share_w: the CTAs of our column (us too); the next share_p - 1: of our row.
  const int i = at.lane - T::share_w;
  if (T::cluster == 1) {
    if (at.lane == 0) bar_arrive(at.empty + 8 * slot);
  } else if (i < T::share_p - 1) {
    bar_arrive_remote(at.empty + 8 * slot, i < 0 ? at.lane + at.rank_p * T::share_w
                                                 : at.rank_w + (i + (i >= at.rank_p)) * T::share_w);
  }
}

// acc = the sums of one tile; `own`: the consumer's first m64 block. The last stage is still to be
// waited for and released: its slot is returned.
template <class T>
TENREC_DEVICE int multiply(float (&acc)[T::blocks][T::pixels / 2], Ring& stage, const Place<T>& at,
                           int own) {
  int previous = 0;
  for (int k = 0; k < at.kblocks; ++k) {
    const u64 a = descriptor(at.ring + stage.slot * T::stage + own * 8192);
    const u64 b = descriptor(at.ring + stage.slot * T::stage + T::w_bytes);
    bar_wait(at.full + 8 * stage.slot, stage.phase);
    mma_fence();
#pragma unroll
    for (int kk = 0; kk < 4; ++kk)  // steps of 32 bytes inside the swizzled row
#pragma unroll
      for (int m = 0; m < T::blocks; ++m)  // the first one overwrites
        Mma<T::type, T::pixels>::go(acc[m], a + m * (8192 >> 4) + kk * 2, b + kk * 2, k | kk);
    mma_commit();
    mma_wait<1>();  // keep this block in flight; the one before is done with its stage
    if (k > 0) release(at, previous);
    previous = stage.slot;
    stage.advance();
  }
  return previous;
}

// What the epilogue needs of each channel, fetched before the main loop, so that it need not wait.
template <class T, class E>
TENREC_DEVICE void load_operands(float (&operand)[T::blocks][2][E::channels + 1],
                                 const Place<T>& at, const Conv& p, int channel) {
#pragma unroll
  for (int m = 0; m < T::blocks; ++m)
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      const int c = channel + m * 64 + at.warp * 16 + at.lane / 4 + h * 8;
#pragma unroll
      for (int i = 0; i < E::channels; ++i)
        operand[m][h][i] = c < p.channels ? p.channel[i * p.channels + c] : 0;
    }
}

// One slab of consumer w through the epilogue and on its way out.
template <class T, class E>
TENREC_DEVICE void finish_slab(const Place<T>& at, const Conv& p, const Slab& slab, int w,
                               const float* acc, const float (*operand)[E::channels + 1]) {
  const bool leads = at.warp == 0 && at.lane == 0;
  if (E::full) bar_wait(at.slab_full + 8 * slab.index, slab.round % 2);
  else {  // the store that used this slab last must have read it
    if (leads) stores_read<T::slabs - 1>();
    named_barrier(1 + w);
  }
  write_slab<T, E>(acc, operand, at.slabs + slab.index * T::slab, at.warp, at.lane);
  fence_async();
  if (E::full) {
    __syncwarp();
    if (at.lane == 0) bar_arrive(at.slab_written + 8 * slab.index);
  } else {
    named_barrier(1 + w);
    if (leads) store_slab(at, p, slab);
  }
}

// Consumer w: its part of every tile, or with ping-pong every tile that is its turn.
template <class T, class E>
TENREC_DEVICE void consume(const Place<T>& at, const Conv& p, int w) {
  const int own = T::ping_pong ? 0 : w * T::blocks;
  float acc[T::blocks][T::pixels / 2];
  Ring stage{T::stages};
  int count = 0, turn = 0;  // slabs written so far; tiles seen so far
  for (int t = at.first; t < at.tiles; t += at.step, ++turn) {
    if (T::ping_pong && turn % T::consumers != w) {
      stage.skip(at.kblocks);
      continue;
    }
    const int channel = at.channel_of(t) + own * 64, pixel = at.pixel_of(t);
    float operand[T::blocks][2][E::channels + 1];
    load_operands<T, E>(operand, at, p, channel);
    // Main loops take turns: see Ring.
    if (T::ping_pong) bar_wait(at.order + 8 * w, (turn / T::consumers + (w == 0)) % 2);
    const int last = multiply<T>(acc, stage, at, own);
    if (T::ping_pong && at.lane == 0) bar_arrive(at.order + 8 * ((w + 1) % T::consumers));
    mma_wait<0>();
    release(at, last);
#pragma unroll
    for (int m = 0; m < T::blocks; ++m)
#pragma unroll
      for (int s = 0; s < T::pixels / T::slab_pixels; ++s, ++count)
        finish_slab<T, E>(at, p,
                          Slab{w * T::slabs + count % T::slabs, count / T::slabs, channel + m * 64,
                               pixel + s * T::slab_pixels, false},
                          w, &acc[m][s * T::slab_pixels / 2], operand[m]);
  }
  stores_read<0>();  // shared memory must outlive the stores that read it
}

template <class T, class E, bool im2col>
TENREC_DEVICE void conv(const Conv& p) {
  extern __shared__ __align__(1024) unsigned char smem[];  // the swizzle repeats every 1024 bytes
  const Place<T> at(p, smem);
  set_up<T, E>(at, p);
  launch_dependents();
  wait_for_inputs();
  const int warpgroup = threadIdx.x / 128;
  if (warpgroup == 0) {
    fewer_registers<T::producer_registers>();
    if (at.lane == 0) {
      if (at.warp == 0) load_tiles<T, im2col>(at, p);
      else if (E::full && at.warp == 1) load_residuals(at, p);
      else if (E::full && at.warp == 2) store_slabs(at, p);
    }
  } else {
    more_registers<T::consumer_registers>();
    consume<T, E>(at, p, warpgroup - 1);
  }
  if (T::cluster > 1) cluster_sync();  // no CTA may leave while its neighbour can still write to it
}

}  // namespace sm90
