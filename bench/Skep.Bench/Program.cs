using Skep.Bench;

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, press) =>
{
    press.Cancel = true;
    stop.Cancel();
};
return await BenchRun.RunAsync(args, stop.Token);
