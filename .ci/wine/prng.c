/* `ProcessPrng` of bcryptprimitives.dll, which Rust's standard library calls and Wine 8 lacks. */
#include <windows.h>
#include <ntsecapi.h>

BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length)
{
    return RtlGenRandom(data, (ULONG)length);
}
