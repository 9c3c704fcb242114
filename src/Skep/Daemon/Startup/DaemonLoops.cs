using Skep.Daemon.Supervision;
using Skep.Model.Errors;

namespace Skep.Daemon.Startup;

/// <summary>The daemon's own loops. One that ends on its own ends the daemon, with its reason, rather than leave it half alive.</summary>
internal sealed class DaemonLoops
{
    private readonly List<Task> _running = [];
    private readonly CancellationTokenSource _ending;
    private string? _failure;

    public DaemonLoops(CancellationTokenSource ending, ILoggerFactory logging)
    {
        _ending = ending;
        Supervisor = new LoopSupervisor(Fail, logging.CreateLogger<LoopSupervisor>());
    }

    public LoopSupervisor Supervisor { get; }

    public void Start(string name, Func<CancellationToken, Task> body) => _running.Add(Supervisor.RunAsync(name, body, _ending.Token));

    public Task EndedAsync() => Task.WhenAll(_running);

    public void ThrowIfFailed()
    {
        if (_failure is not null)
        {
            throw new ClusterException(ErrorKind.Internal, _failure);
        }
    }

    private void Fail(string name, Exception? cause)
    {
        _failure ??= $"the loop {name} ended: {cause?.Message ?? "without a reason"}";
        _ending.Cancel();
    }
}
