using System.Threading.Channels;
using Skep.Agent.Logs;
using Skep.Agent.Runtime;
using Skep.Model.Errors;

namespace Skep.UnitTests.Daemon.Http.Fakes;

/// <summary>A runtime whose containers are given by the test; nothing can be done to them.</summary>
internal sealed class EmptyRuntime : IContainerRuntime
{
    public List<ContainerSnapshot> Existing { get; } = [];

    public Channel<ContainerEvent> Happening { get; } = Channel.CreateUnbounded<ContainerEvent>();

    public IReadOnlyCollection<ContainerSnapshot> Containers => Existing;

    public IAsyncEnumerable<ContainerEvent> FollowAsync(CancellationToken cancellationToken) => Happening.Reader.ReadAllAsync(cancellationToken);

    public ContainerSnapshot Find(string reference) =>
        Existing.FirstOrDefault(c => c.Id == reference) ?? throw new ClusterException(ErrorKind.NotFound, $"No such container: {reference}");

    public Task<ContainerSnapshot> CreateAsync(ContainerRecipe recipe, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<ContainerSnapshot> StartAsync(string id, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<ContainerSnapshot> WaitAsync(string id, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task StopAsync(string id, string? signal, TimeSpan? grace, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task KillAsync(string id, string signal, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task RemoveAsync(string id, bool force, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task ResizeAsync(string id, uint width, uint height, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IReadOnlyList<int>> ProcessesAsync(string id, CancellationToken cancellationToken) => throw new NotSupportedException();

    public IExec CreateExec(string id, ExecRecipe recipe) => throw new NotSupportedException();

    public IExec FindExec(string execId) => throw new ClusterException(ErrorKind.NotFound, $"No such exec instance: {execId}");

    public IContainerLog Log(string id) => throw new NotSupportedException();
}
