using Skep.Model.Plans;
using Skep.Network.Dns;

namespace Skep.ClassicTests.Encryption;

/// <summary>Nobody asks for names here.</summary>
internal sealed class NoNames : INameServer
{
    public Task<string> AddAsync(SandboxNames sandbox, CancellationToken cancellationToken) => Task.FromResult("");

    public Task RemoveAsync(string containerId, CancellationToken cancellationToken) => Task.CompletedTask;

    public void Update(NodePlan plan, PlanDelta? delta)
    {
    }
}
