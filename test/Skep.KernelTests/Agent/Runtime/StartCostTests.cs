using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Skep.Agent.Runtime;

namespace Skep.KernelTests.Agent.Runtime;

/// <summary>What one container costs, one at a time and fourteen at once; printed, with a bound that only a real loss breaks.</summary>
public sealed class StartCostTests(ContainerdFixture fixture, ITestOutputHelper output) : IClassFixture<ContainerdFixture>
{
    [Fact]
    public async Task Create_start_and_end_stay_cheap()
    {
        var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;
        await using var runtime = await fixture.OpenAsync();
        var (create, start, end, remove) = (new List<double>(), new List<double>(), new List<double>(), new List<double>());
        for (var i = 0; i < 8; i++)
        {
            var recipe = Recipe();
            create.Add(await TimeAsync(() => runtime.CreateAsync(recipe, limit)));
            start.Add(await TimeAsync(() => runtime.StartAsync(recipe.Id, limit)));
            end.Add(await TimeAsync(() => runtime.StopAsync(recipe.Id, "SIGKILL", null, limit)));
            remove.Add(await TimeAsync(() => runtime.RemoveAsync(recipe.Id, true, limit)));
        }

        var many = Enumerable.Range(0, 14).Select(_ => Recipe()).ToList();
        var together = await TimeAsync(() => Task.WhenAll(many.Select(async r =>
        {
            await runtime.CreateAsync(r, limit);
            await runtime.StartAsync(r.Id, limit);
        })));
        var removed = await TimeAsync(() => Task.WhenAll(many.Select(r => runtime.RemoveAsync(r.Id, true, limit))));
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"median ms: create {Median(create):0.0}, start {Median(start):0.0}, kill→ended {Median(end):0.0}, remove {Median(remove):0.0}; 14 at once: running {together:0}, removed {removed:0}"));
        Assert.True(Median(create) + Median(start) < 1000);
    }

    private static ContainerRecipe Recipe()
    {
        var id = RandomNumberGenerator.GetHexString(64, lowercase: true);
        return new ContainerRecipe { Id = id, Name = "c-" + id[..8], Image = ContainerdFixture.ImageName, Command = ["sleep", "1000"] };
    }

    private static async Task<double> TimeAsync(Func<Task> action)
    {
        var watch = Stopwatch.StartNew();
        await action();
        return watch.Elapsed.TotalMilliseconds;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
