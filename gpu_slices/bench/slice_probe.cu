// How long the driver lets one process keep the GPU: one thread polls the GPU's clock and notes when it was not running.
// Usage: slice_probe SECONDS MIN_GAP_US  ->  lines "START_NS END_NS" of every gap, after "RAN START_NS END_NS POLLS".
#include <cstdio>
#include <cstdlib>
#include <vector>

constexpr int kMost = 1 << 20;

#define CHECK(call)                                                                        \
    do {                                                                                   \
        cudaError_t code = (call);                                                         \
        if (code != cudaSuccess) {                                                         \
            std::fprintf(stderr, "%s: %s\n", #call, cudaGetErrorString(code));             \
            return 1;                                                                      \
        }                                                                                  \
    } while (0)

__device__ unsigned long long now_ns() {
    unsigned long long value;
    asm volatile("mov.u64 %0, %globaltimer;" : "=l"(value));
    return value;
}

__global__ void poll(unsigned long long length_ns, unsigned long long min_gap_ns, ulonglong2* gaps, int* count,
                     ulonglong2* span, unsigned long long* polls) {
    unsigned long long start = now_ns(), last = start, now = start, turns = 0;
    int found = 0;
    while (now - start < length_ns) {
        now = now_ns();
        if (now - last > min_gap_ns && found < kMost) gaps[found++] = make_ulonglong2(last, now);
        last = now;
        ++turns;
    }
    *count = found;
    *span = make_ulonglong2(start, now);
    *polls = turns;
}

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    const auto length_ns = static_cast<unsigned long long>(std::atof(argv[1]) * 1e9);
    const auto min_gap_ns = static_cast<unsigned long long>(std::atof(argv[2]) * 1e3);
    ulonglong2 *gaps, *span, ran;
    int *count, found;
    unsigned long long *polls, turns;
    CHECK(cudaMalloc(&gaps, sizeof(ulonglong2) * kMost));
    CHECK(cudaMalloc(&span, sizeof(ulonglong2)));
    CHECK(cudaMalloc(&count, sizeof(int)));
    CHECK(cudaMalloc(&polls, sizeof(unsigned long long)));
    poll<<<1, 1>>>(length_ns, min_gap_ns, gaps, count, span, polls);
    CHECK(cudaGetLastError());
    CHECK(cudaDeviceSynchronize());
    CHECK(cudaMemcpy(&found, count, sizeof(int), cudaMemcpyDeviceToHost));
    CHECK(cudaMemcpy(&ran, span, sizeof(ulonglong2), cudaMemcpyDeviceToHost));
    CHECK(cudaMemcpy(&turns, polls, sizeof(unsigned long long), cudaMemcpyDeviceToHost));
    std::vector<ulonglong2> host(found);
    CHECK(cudaMemcpy(host.data(), gaps, sizeof(ulonglong2) * found, cudaMemcpyDeviceToHost));
    std::printf("RAN %llu %llu %llu\n", ran.x, ran.y, turns);
    for (const auto& gap : host) std::printf("%llu %llu\n", gap.x, gap.y);
    return 0;
}
