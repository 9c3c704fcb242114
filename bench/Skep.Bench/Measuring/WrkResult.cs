namespace Skep.Bench.Measuring;

/// <param name="Rate">Requests per second.</param>
/// <param name="Requests">How many were answered.</param>
/// <param name="ProcessorSeconds">What wrk itself used, the kernel's work in its name included.</param>
internal readonly record struct WrkResult(double Rate, double Requests, double ProcessorSeconds);
