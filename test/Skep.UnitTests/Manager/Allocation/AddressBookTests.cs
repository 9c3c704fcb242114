using System.Net.Sockets;
using Skep.Manager.Allocation;
using Skep.Model.Objects;
using Skep.Model.Specs;

namespace Skep.UnitTests.Manager.Allocation;

public sealed class AddressBookTests
{
    [Fact]
    public void Two_doubts_about_one_owner_are_settled_each_in_its_time()
    {
        var book = new AddressBook();
        book.SetNetwork(new SwarmNetwork
        {
            Id = "net",
            Spec = new NetworkSpec { Name = "net" },
            Subnets = [new IpamConfig { Subnet = "10.0.1.0/24", Gateway = "10.0.1.1" }],
        });
        var first = Lost();
        var second = Lost();
        Assert.NotEqual(first, second);

        book.Settle("task");
        Assert.Null(book.Pool("net").OwnerOf(first));
        Assert.NotNull(book.Pool("net").OwnerOf(second));
        book.Settle("task");
        Assert.Null(book.Pool("net").OwnerOf(second));
        Assert.Equal(0, book.Size.Doubted);

        // The answer to the commit is lost, and the view does not have the task.
        string Lost()
        {
            var address = book.Take("net", "task", AddressFamily.InterNetwork)!;
            book.Doubt("task");
            book.Release("task");
            return address;
        }
    }
}
