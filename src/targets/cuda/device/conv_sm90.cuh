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

template <class T, class E, bool im2col>
TENREC_DEVICE void conv(const Conv& p) {
  extern __shared__ __align__(1024) unsigned char smem[];  // the swizzle repeats every 1024 bytes
  const u32 ring = shared_address(smem), slabs = ring + T::stages * T::stage;
  const u32 full = slabs + T::consumers * T::slabs * T::slab, empty = full + 8 * T::stages;
  const u32 slab_full = empty + 8 * T::stages;
  const u32 slab_empty = slab_full + 8 * T::consumers * T::slabs;
  const u32 slab_written = slab_empty + 8 * T::consumers * T::slabs;
  const u32 order = slab_written + 8 * T::consumers * T::slabs;
  const int warpgroup = threadIdx.x / 128, warp = threadIdx.x / 32 % 4, lane = threadIdx.x % 32;
  const int rank = T::cluster > 1 ? cluster_rank() : 0;
  const int rank_w = rank % T::share_w, rank_p = rank / T::share_w;
  const int first = blockIdx.x / T::cluster, step = gridDim.x / T::cluster;
  const int tiles = p.tiles_c * p.tiles_p, kblocks = p.taps * p.cblocks;

  // Channel tiles vary fastest: the CTAs that run together read the same pixels (large) and all
  // weights (small, in L2).
  const auto channel_of = [&](int t) {
    return (t % p.tiles_c * T::share_p + rank_p) * T::channels;
  };
  const auto pixel_of = [&](int t) { return (t / p.tiles_c * T::share_w + rank_w) * T::pixels; };
  // Channel and pixel of a consumer's slab s in tile t.
  const auto slab_channel = [&](int t, int w, int s) {
    return channel_of(t) +
           ((T::ping_pong ? 0 : w * T::blocks) + s / (T::pixels / T::slab_pixels)) * 64;
  };
  const auto slab_pixel = [&](int t, int s) {
    return pixel_of(t) + s % (T::pixels / T::slab_pixels) * T::slab_pixels;
  };

  if (threadIdx.x == 32) {  // fetching a descriptor takes about as long as a load: start early
    prefetch(p.w), prefetch(p.x), prefetch(p.y);
    if (E::full) prefetch(p.residual);
  }
  if (threadIdx.x == 0) {
    for (int i = 0; i < T::stages; ++i) {
      bar_init(full + 8 * i, 1);
      // Every consumer warp releases a stage itself, to each CTA that writes into this one's
      // stages.
      bar_init(empty + 8 * i,
               4 * (T::ping_pong ? 1 : T::consumers) * (T::share_w + T::share_p - 1));
    }
    for (int i = 0; i < T::consumers * T::slabs; ++i) {
      bar_init(slab_full + 8 * i, 1), bar_init(slab_empty + 8 * i, 1);
      bar_init(slab_written + 8 * i, 4);
    }
    for (int i = 0; i < T::consumers; ++i) bar_init(order + 8 * i, 4);
    bar_init_done();
  }
  if (T::cluster > 1) cluster_sync();
  else __syncthreads();
  launch_dependents();
  wait_for_inputs();

  if (warpgroup == 0) {
    fewer_registers<T::producer_registers>();
    if (warp == 0 && lane == 0) {
      Ring at{T::stages};
      u16 pixel_mask = 0;
      for (int i = 0; i < T::share_p; ++i) pixel_mask |= 1 << (rank_w + i * T::share_w);
      const u16 weight_mask = ((1 << T::share_w) - 1) << (rank_p * T::share_w);
      for (int t = first; t < tiles; t += step) {
        // In a cluster each CTA fetches one slice of a shared tile and sends it to all that share
        // it.
        const int channel = channel_of(t) + rank_w * (T::channels / T::share_w);
        const int pixel = pixel_of(t) + rank_p * (T::pixels / T::share_p);
        const int image = pixel / p.pq, row = pixel % p.pq / p.q, col = pixel % p.q;
        const int h = row * p.stride_h - p.pad_h, v = col * p.stride_w - p.pad_w;
        for (int tap = 0; tap < p.taps; ++tap)
          for (int cb = 0; cb < p.cblocks; ++cb, at.advance()) {
            const u32 w = ring + at.slot * T::stage, x = w + T::w_bytes, bar = full + 8 * at.slot;
            bar_wait(empty + 8 * at.slot, at.phase ^ 1);  // the first round passes at once
            bar_expect(bar, T::stage);
            const u32 x_slice = x + rank_p * (T::x_bytes / T::share_p);
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
            load_2d<(T::share_w > 1)>(w + rank_w * (T::w_bytes / T::share_w), p.w, bar,
                                      (tap * p.cblocks + cb) * T::depth, channel, weight_mask);
          }
      }
    } else if (E::full && warp == 1 && lane == 0) {
      // The residual arrives in the slabs that the epilogue later overwrites and stores from.
      int count[T::consumers] = {}, turn = 0;
      for (int t = first; t < tiles; t += step, ++turn)
        for (int s = 0; s < T::tile_slabs; ++s)
#pragma unroll
          for (int w = 0; w < T::consumers; ++w) {
            if (T::ping_pong && turn % T::consumers != w) continue;
            const int i = w * T::slabs + count[w] % T::slabs;
            bar_wait(slab_empty + 8 * i, count[w] / T::slabs % 2 ^ 1);
            bar_expect(slab_full + 8 * i, T::slab);
            for (int part = 0; part < T::parts; ++part)
              load_2d(slabs + i * T::slab + part * T::part, p.residual, slab_full + 8 * i,
                      slab_channel(t, w, s) + part * T::depth, slab_pixel(t, s));
            ++count[w];
          }
    } else if (E::full && warp == 2 && lane == 0) {
      // With a residual, a thread of its own stores the slabs and hands them to the residual
      // loader: a consumer that waited for its stores would come late to its next main loop.
      // Without one, it measured 2 to 10 % slower than storing in the consumer.
      int count[T::consumers] = {}, turn = 0, previous = -1;
      for (int t = first; t < tiles; t += step, ++turn)
        for (int s = 0; s < T::tile_slabs; ++s)
#pragma unroll
          for (int w = 0; w < T::consumers; ++w) {
            if (T::ping_pong && turn % T::consumers != w) continue;
            const int i = w * T::slabs + count[w] % T::slabs;
            bar_wait(slab_written + 8 * i, count[w]++ / T::slabs % 2);
            for (int part = 0; part < T::parts; ++part)
              store_2d(p.y, slabs + i * T::slab + part * T::part,
                       slab_channel(t, w, s) + part * T::depth, slab_pixel(t, s));
            stores_commit();
            if (previous >= 0) stores_read<1>(), bar_arrive(slab_empty + 8 * previous);
            previous = i;
            if (s == T::tile_slabs - 1 && (T::ping_pong || w == T::consumers - 1))
              stores_read<0>(), bar_arrive(slab_empty + 8 * previous), previous = -1;
          }
      stores_read<0>();
    }
  } else {
    more_registers<T::consumer_registers>();
    const int w = warpgroup - 1, own = T::ping_pong ? 0 : w * T::blocks;  // first m64 block
    float acc[T::blocks][T::pixels / 2];
    Ring at{T::stages};
    int count = 0, turn = 0;  // slabs written so far; tiles seen so far
    const auto release = [&](int slot) {
      // Lanes below share_w: the CTAs of our column (us too); the next share_p - 1: of our row.
      const int i = lane - T::share_w;
      if (T::cluster == 1) {
        if (lane == 0) bar_arrive(empty + 8 * slot);
      } else if (i < T::share_p - 1) {
        bar_arrive_remote(empty + 8 * slot, i < 0 ? lane + rank_p * T::share_w
                                                  : rank_w + (i + (i >= rank_p)) * T::share_w);
      }
    };
    for (int t = first; t < tiles; t += step, ++turn) {
      if (T::ping_pong && turn % T::consumers != w) {
        at.skip(kblocks);
        continue;
      }
      const int channel = channel_of(t) + own * 64, pixel = pixel_of(t);
      float operand[T::blocks][2]
                   [E::channels + 1];  // fetched here, so that the epilogue need not wait
#pragma unroll
      for (int m = 0; m < T::blocks; ++m)
#pragma unroll
        for (int h = 0; h < 2; ++h) {
          const int c = channel + m * 64 + warp * 16 + lane / 4 + h * 8;
#pragma unroll
          for (int i = 0; i < E::channels; ++i)
            operand[m][h][i] = c < p.channels ? p.channel[i * p.channels + c] : 0;
        }
      // Main loops take turns: see Ring.
      if (T::ping_pong) bar_wait(order + 8 * w, (turn / T::consumers + (w == 0)) % 2);
      int previous = 0;
      for (int k = 0; k < kblocks; ++k) {
        const u64 a = descriptor(ring + at.slot * T::stage + own * 8192);
        const u64 b = descriptor(ring + at.slot * T::stage + T::w_bytes);
        bar_wait(full + 8 * at.slot, at.phase);
        mma_fence();
#pragma unroll
        for (int kk = 0; kk < 4; ++kk)  // steps of 32 bytes inside the swizzled row
#pragma unroll
          for (int m = 0; m < T::blocks; ++m)  // the first one overwrites
            Mma<T::type, T::pixels>::go(acc[m], a + m * (8192 >> 4) + kk * 2, b + kk * 2, k | kk);
        mma_commit();
        mma_wait<1>();  // keep this block in flight; the one before is done with its stage
        if (k > 0) release(previous);
        previous = at.slot;
        at.advance();
      }
      if (T::ping_pong && lane == 0) bar_arrive(order + 8 * ((w + 1) % T::consumers));
      mma_wait<0>();
      release(previous);
#pragma unroll
      for (int m = 0; m < T::blocks; ++m) {
#pragma unroll
        for (int s = 0; s < T::pixels / T::slab_pixels; ++s, ++count) {
          const int i = w * T::slabs + count % T::slabs;
          if (E::full) bar_wait(slab_full + 8 * i, count / T::slabs % 2);
          else {  // the store that used this slab last must have read it
            if (warp == 0 && lane == 0) stores_read<T::slabs - 1>();
            named_barrier(1 + w);
          }
          write_slab<T, E>(&acc[m][s * T::slab_pixels / 2], operand[m], slabs + i * T::slab, warp,
                           lane);
          fence_async();
          if (E::full) {
            __syncwarp();
            if (lane == 0) bar_arrive(slab_written + 8 * i);
          } else {
            named_barrier(1 + w);
            if (warp == 0 && lane == 0) {
              for (int part = 0; part < T::parts; ++part)
                store_2d(p.y, slabs + i * T::slab + part * T::part,
                         channel + m * 64 + part * T::depth, pixel + s * T::slab_pixels);
              stores_commit();
            }
          }
        }
      }
    }
    stores_read<0>();  // shared memory must outlive the stores that read it
  }
  if (T::cluster > 1) cluster_sync();  // no CTA may leave while its neighbour can still write to it
}

}  // namespace sm90
